"""A page as a parser sees it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "input", "hr"}


@dataclass
class Page(HTMLParser):
    """Its tables, pictures and attributes; a tag that is not closed in order is an error."""

    tables: list[list[list[str]]] = field(default_factory=list)
    pictures: dict[str, list[str]] = field(default_factory=dict)
    """By what they are called their texts."""
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    """(tag, name, value)"""
    tags: set[str] = field(default_factory=set)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.picture: list[str] | None = None

    @classmethod
    def of(cls, content: str) -> "Page":
        page = cls()
        page.feed(content)
        page.close()
        assert not page.open, page.open
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "svg":
            self.picture = self.pictures.setdefault(dict(attrs)["aria-label"] or "", [])
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())
        if tag == "svg":
            self.picture = None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.picture is not None:
            if self.open[-1] == "text":
                self.picture.append(data)
        elif "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += data

    def table(self, head: str) -> list[list[str]]:
        """The first one with such a column."""
        return next(rows for rows in self.tables if head in rows[0])
