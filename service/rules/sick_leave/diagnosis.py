"""What is written as a certificate's diagnosis, read as the national engine reads it (rehabstod.md §§ 3.8, 4.3).

The text is a code, with or without dot, and behind position 7 perhaps its name. Clean codes have a category (a letter and
two digits), and categories lie in chapters of ICD-10-SE.
"""

import re
from dataclasses import dataclass
from typing import Final

from contracts.errors import Invalid

_CODE_LENGTH: Final = 7
_TRIMMED: Final = "".join(map(chr, range(0x21)))
_WHITESPACE: Final = "\t\n\v\f\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u2028\u2029\u205f\u3000"
"""What is whitespace to the national engine: a no-break space is not, so a text of these alone is not blank."""
_FOREIGN: Final = re.compile("[^A-Z0-9-]")
_CATEGORY: Final = re.compile("[A-Z][0-9]{2}", re.ASCII)


def trimmed(text: str) -> str:
    """Without leading and trailing characters up to U+0020, as Java trims."""
    return text.strip(_TRIMMED)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``original`` as it was given, the ``code`` cleaned, and the ``name`` behind it: ``None`` when the text is shorter
    than a code, empty when it is just as long."""

    original: str
    code: str
    name: str | None


def diagnosis(text: str) -> Diagnosis:
    """Raises ``Invalid`` for a blank text (Q11)."""
    if not text.strip(_WHITESPACE):
        raise Invalid("a diagnosis is blank")
    code = _FOREIGN.sub("", text[:_CODE_LENGTH].upper())
    return Diagnosis(text, code, trimmed(text[_CODE_LENGTH:]) if len(text) >= _CODE_LENGTH else None)


@dataclass(frozen=True, slots=True)
class Chapter:
    """Categories from the first to the last, in one order by letter and number."""

    first: str
    last: str
    name: str

    @property
    def id(self) -> str:
        """``F00-F99``; ``none`` for what lies in no chapter."""
        return f"{self.first}-{self.last}" if self.first.strip() != "0" else "none"


CHAPTERS: Final = (
    Chapter("A00", "B99", "Vissa infektionssjukdomar och parasitsjukdomar"),
    Chapter("C00", "D48", "Tumörer"),
    Chapter("D50", "D89", "Sjukdomar i blod och blodbildande organ samt vissa rubbningar i immunsystemet"),
    Chapter("E00", "E90", "Endokrina sjukdomar, nutritionsrubbningar och ämnesomsättningssjukdomar"),
    Chapter("F00", "F99", "Psykiska sjukdomar och syndrom samt beteendestörningar"),
    Chapter("G00", "G99", "Sjukdomar i nervsystemet"),
    Chapter("H00", "H59", "Sjukdomar i ögat och närliggande organ"),
    Chapter("H60", "H95", "Sjukdomar i örat och mastoidutskottet"),
    Chapter("I00", "I99", "Cirkulationsorganens sjukdomar"),
    Chapter("J00", "J99", "Andningsorganens sjukdomar"),
    Chapter("K00", "K93", "Matsmältningsorganens sjukdomar"),
    Chapter("L00", "L99", "Hudens och underhudens sjukdomar"),
    Chapter("M00", "M99", "Sjukdomar i muskuloskeletala systemet och bindväven"),
    Chapter("N00", "N99", "Sjukdomar i urin- och könsorganen"),
    Chapter("O00", "O99", "Graviditet, förlossning och barnsängstid"),
    Chapter("P00", "P96", "Vissa perinatala tillstånd"),
    Chapter("Q00", "Q99", "Medfödda missbildningar, deformiteter och kromosomavvikelser"),
    Chapter(
        "R00",
        "R99",
        "Symtom, sjukdomstecken och onormala kliniska fynd och laboratoriefynd som ej klassificeras på annan plats",
    ),
    Chapter("S00", "T98", "Skador, förgiftningar och vissa andra följder av yttre orsaker"),
    Chapter("U00", "U99", "Koder för särskilda ändamål"),
    Chapter("V01", "Y98", "Yttre orsaker till sjukdom och död"),
    Chapter(
        "Z00",
        "Z99",
        "Faktorer av betydelse för hälsotillståndet och för kontakter med hälso- och sjukvården",
    ),
)
"""Between some chapters categories are free (D49, T99 ...): they lie in ``NO_CHAPTER``."""

NO_CHAPTER: Final = Chapter(" 0", " 0", "Utan giltig diagnoskod")


def category(code: str) -> str | None:
    """The category of a clean code; ``None`` when it does not begin with one."""
    found = _CATEGORY.match(code)
    return found[0] if found else None


def chapter(code: str) -> Chapter:
    """The chapter of a clean code. Categories are a letter and two digits, so they compare as texts."""
    found = category(code) or ""
    return next((each for each in CHAPTERS if each.first <= found <= each.last), NO_CHAPTER)
