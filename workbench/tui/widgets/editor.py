"""An editor of SQL or YAML, coloured by its syntax."""

from __future__ import annotations

from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

LIGHT = "on light"
"""Colours for a light background, as the built-in ones are for a dark one."""

DARKER = {"type": "class", "type.class": "class", "boolean": "operator", "constant.builtin": "operator"}
"""Names of syntax, and those whose colours they have there."""


class CodeEditor(TextArea):
    """Takes its background from the app's theme. Tab leaves it, as everywhere."""

    def __init__(self, text: str = "", *, language: str, id: str | None = None) -> None:
        super().__init__(text, language=language, theme="css", tab_behavior="focus", show_line_numbers=True, id=id)

    def on_mount(self) -> None:
        colours = TextAreaTheme.get_builtin_theme("github_light")
        assert colours is not None
        # some of them are too pale to be read
        darker = {name: colours.syntax_styles[instead] for name, instead in DARKER.items()}
        self.register_theme(TextAreaTheme(name=LIGHT, syntax_styles={**colours.syntax_styles, **darker}))
        self.watch(self.app, "theme", self.follow)

    def follow(self) -> None:
        """Colours that can be read on the app's background."""
        self.theme = "css" if self.app.current_theme.dark else LIGHT

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Whether a key is typed here, so that the footer does not offer it as a command."""
        return key == "slash" or super().check_consume_key(key, character)

    def put(self, text: str) -> None:
        """Replace all of it; undo brings the old text back."""
        self.replace(text, (0, 0), self.document.end)
        self.move_cursor((0, 0))
