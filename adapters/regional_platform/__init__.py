"""The care provider's own data platform: it is told of coded records as CloudEvents over HTTP."""
