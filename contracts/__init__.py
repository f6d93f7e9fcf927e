"""What is true and what is promised: values, ports and errors. Imports the standard library only."""
