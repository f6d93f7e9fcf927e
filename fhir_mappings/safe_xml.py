"""How XML from outside is read, whatever it says: nothing is fetched, nothing expanded, and huge documents are given up."""

from typing import Final, TypedDict

from lxml import etree


class _Settings(TypedDict):
    resolve_entities: bool
    no_network: bool
    load_dtd: bool
    dtd_validation: bool
    huge_tree: bool
    recover: bool
    remove_pis: bool


_SAFE: Final[_Settings] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "recover": False,
    "remove_pis": True,
}


def parser() -> etree.XMLParser:
    """For a document that is at hand. A document type declaration is not refused: who parses looks for one."""
    return etree.XMLParser(remove_comments=True, **_SAFE)


def pull_parser() -> etree.XMLPullParser:
    """As ``parser``, for a document that comes piece by piece. It hands out comments, and leaves them in the tree."""
    return etree.XMLPullParser(events=("comment",), remove_comments=False, **_SAFE)
