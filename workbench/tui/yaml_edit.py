"""Changes to single keys of a YAML text that leave the rest as it is, comments too, where that can be done."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import yaml

from workbench.config import StrictLoader
from workbench.records import Plain

Path = tuple[str, ...]
"""Keys from the top down."""
MISSING = object()
"""What a key that is not there has."""


def value_at(content: Any, path: Path) -> Any:
    """What stands at a path, or MISSING."""
    for name in path:
        if not isinstance(content, dict) or name not in content:
            return MISSING
        content = content[name]
    return content


def with_key(text: str, content: Plain, path: Path, value: Any) -> tuple[str, Plain, bool]:
    """The text and content with a key set; whether comments were lost.

    What stands on the way and is no mapping gives way.
    """
    changed = deepcopy(content)
    place: Any = changed
    for name in path[:-1]:
        if not isinstance(place.get(name), dict):
            place[name] = {}
        place = place[name]
    place[path[-1]] = value
    return settled(written(text, path, value), text, changed)


def without_key(text: str, content: Plain, path: Path) -> tuple[str, Plain, bool]:
    """The text and content without a key; whether comments were lost."""
    changed = deepcopy(content)
    above = value_at(changed, path[:-1])
    if not isinstance(above, dict) or path[-1] not in above:
        return text, content, False
    del above[path[-1]]
    return settled(cut(text, path, inline(above)), text, changed)


def settled(edited: str | None, text: str, content: Plain) -> tuple[str, Plain, bool]:
    """The edited text where it says what it should, else the content written anew."""
    if edited is not None and says(edited, content):
        return edited, content, False
    return written_anew(content), content, has_comments(text)


def written_anew(content: Plain) -> str:
    """A config as YAML, in blocks."""
    return dumped(content, flow=False, width=110)


def dumped(value: Any, *, flow: bool, width: int) -> str:
    """As YAML; with escapes where PyYAML would not read its own letters back, such as U+0085."""
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, width=width, sort_keys=False)
    if yaml.load(text, StrictLoader) == value:
        return text
    return yaml.safe_dump(value, default_flow_style=flow, allow_unicode=False, width=width, sort_keys=False)


def says(text: str, content: Plain) -> bool:
    try:
        return bool(yaml.load(text, StrictLoader) == content)
    except (yaml.YAMLError, RecursionError):
        return False


def has_comments(text: str) -> bool:
    """Whether a line has a `#` that may begin a comment."""
    return any(line.lstrip().startswith("#") or " #" in line for line in text.splitlines())


def inline(value: Any) -> str:
    """A value on one line."""
    return dumped(value, flow=True, width=1_000_000).removesuffix("\n").removesuffix("\n...")


def written(text: str, path: Path, value: Any) -> str | None:
    """The text with the value put in its place; None where that is not this simple."""
    nodes = list(nodes_on(text, path))
    if not nodes:
        return None
    node, left = nodes[-1], path[len(nodes) - 1 :]
    if not left:
        return replaced(text, node, inline(value))
    for name in reversed(left[1:]):
        value = {name: value}
    if not isinstance(node, yaml.MappingNode) or not node.value:
        return replaced(text, node, inline({left[0]: value}))
    line = inline({left[0]: value})[1:-1]
    last = end_of(node)
    if node.flow_style:
        return f"{text[:last]}, {line}{text[last:]}"
    at = text.find("\n", last)
    before, after = (text, "") if at < 0 else (text[:at], text[at:])
    return f"{before}\n{' ' * node.start_mark.column}{line}{after}"


def replaced(text: str, node: yaml.Node, new: str) -> str:
    start, end = node.start_mark.index, node.end_mark.index
    blank = " " if start and text[start - 1] == ":" else ""
    tail = text[:end][len(text[:end].rstrip()) :] if start < end else ""
    return f"{text[:start]}{blank}{new}{tail}{text[end:]}"


def cut(text: str, path: Path, rest: str) -> str | None:
    """The text without a key that stands on lines of its own, or in a mapping on one line, of which `rest` is left."""
    nodes = list(nodes_on(text, path))
    if len(nodes) != len(path) + 1:
        return None
    above, node = nodes[-2], nodes[-1]
    assert isinstance(above, yaml.MappingNode)
    if above.flow_style:
        return replaced(text, above, rest)
    key = next(key for key, value in above.value if value is node)
    first = text.rfind("\n", 0, key.start_mark.index) + 1
    last = text.find("\n", end_of(node))
    if text[first : key.start_mark.index].strip() or len(above.value) == 1:
        return None
    return text[:first] + (text[last + 1 :] if last >= 0 else "")


def end_of(node: yaml.Node) -> int:
    """Where the last thing inside a node ends; a block's own end is where the next one begins, behind comments."""
    if isinstance(node, yaml.CollectionNode) and node.value:
        last = node.value[-1]
        return end_of(last[1] if isinstance(node, yaml.MappingNode) else last)
    return int(node.end_mark.index)


def nodes_on(text: str, path: Path) -> Iterator[yaml.Node]:
    """The nodes from the top down as far as the path leads."""
    try:
        node: Any = yaml.compose(text, StrictLoader)
    except (yaml.YAMLError, RecursionError):
        return
    while node is not None:
        yield node
        if not path or not isinstance(node, yaml.MappingNode):
            return
        name, path = path[0], path[1:]
        node = next((value for key, value in node.value if key.value == name), None)
