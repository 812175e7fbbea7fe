"""The form: a row a key, what is known of the row under the cursor, a line to type in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Key, Resize
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from workbench.reports.tables import shown
from workbench.tui.form import Entry, as_text, typed
from workbench.tui.form_lines import fitted, given_words, row_line, swept_text
from workbench.tui.yaml_edit import MISSING, Path


class Rows(OptionList):
    """The rows; what the keys do with the one under the cursor is up to the form."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Change"),
        Binding("space", "form('next_choice')", "Next value", show=False),
        Binding("x,delete", "form('clear')", "Default"),
        Binding("w", "form('sweep')", "Sweep"),
    ]

    def action_form(self, name: str) -> None:
        form = self.parent
        assert isinstance(form, FormView)
        getattr(form, name)()


class FormView(Vertical):
    """Shows the rows that it is given and says what the user wants changed; it changes nothing itself."""

    class Changed(Message):
        """A key is to have another value; MISSING = none of its own."""

        def __init__(self, path: Path, value: Any) -> None:
            super().__init__()
            self.path, self.value = path, value

    DEFAULT_CSS = """
    FormView OptionList, FormView OptionList:focus {
        height: 1fr; border: none; padding: 0; background: transparent;
        text-wrap: nowrap; text-overflow: ellipsis; scrollbar-gutter: stable; scrollbar-size-vertical: 1;
    }
    FormView #words, FormView #line { height: 1; display: none; }
    FormView Input { height: 1; border: none; padding: 0 1; width: 1fr; }
    FormView #words.open, FormView #line.open { display: block; }
    FormView #others {
        display: none; height: auto; max-height: 4; padding: 0 1; color: $text-error;
    }
    FormView #others.open { display: block; }
    FormView #line { background: $boost; }
    FormView #label { width: auto; max-width: 50%; padding: 0 1; text-style: bold; }
    FormView #about { height: 4; padding: 0 1; border-top: solid $panel; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: Sequence[Entry] = ()
        self.problems: Mapping[str, str] = {}
        self.words = ""
        """Only rows with these in their key or doc are shown."""
        self.listed: list[Entry] = []
        self.editing: Entry | None = None
        """The row whose value is being typed, as it was before."""
        self.aim: Path | None = None
        """Where the cursor goes once there is such a row."""

    def compose(self) -> ComposeResult:
        yield Input(placeholder="words of a key or its description", id="words", compact=True)
        yield Rows(id="rows", markup=False)
        yield Static("", id="others", markup=False)
        yield Static("", id="about", markup=False)
        with Horizontal(id="line"):
            yield Static("", id="label", markup=False)
            yield Input(id="value", compact=True)

    @property
    def options(self) -> Rows:
        return self.query_one(Rows)

    @property
    def current(self) -> Entry | None:
        at = self.options.highlighted
        return self.listed[at] if at is not None and at < len(self.listed) else None

    # showing

    def begin(self) -> None:
        """Another config: nothing is left of the one before."""
        self.words, self.editing, self.aim, self.listed = "", None, None, []
        for entry in self.query(Input):
            with entry.prevent(Input.Changed):
                entry.value = ""
        for part in ("#words", "#line"):
            self.query_one(part).remove_class("open")
        self.options.clear_options()

    def show(self, rows: Sequence[Entry], problems: Mapping[str, str], others: Sequence[str] = ()) -> None:
        """Replace the rows; the cursor stays on its key. `others` are problems that belong to no row."""
        self.rows, self.problems = rows, problems
        elsewhere = self.query_one("#others", Static)
        elsewhere.set_class(bool(others), "open")
        elsewhere.update(Text("\n".join(f"error in the YAML (t): {shown(text)}" for text in others)))
        self.refill()

    def refill(self) -> None:
        listed = [row for row in self.rows if self.lets_through(row)]
        texts = [self.line(row) for row in listed]
        options, before = self.options, self.current
        if [row.path for row in listed] == [row.path for row in self.listed]:
            self.listed = listed
            for place, text in enumerate(texts):
                if options.get_option_at_index(place).prompt != text:
                    options.replace_option_prompt_at_index(place, text)
        else:
            wanted = self.aim or (before.path if before else ())
            at = options.highlighted or 0
            self.listed = listed
            options.clear_options()
            options.add_options([Option(text) for text in texts])
            paths = [row.path for row in listed]
            if listed:
                options.highlighted = paths.index(wanted) if wanted in paths else min(at, len(listed) - 1)
        if self.aim and any(row.path == self.aim for row in listed):
            options.highlighted = [row.path for row in listed].index(self.aim)
            self.aim = None
        self.tell_about()

    def lets_through(self, row: Entry) -> bool:
        """Whether the row has all the words that were asked for."""
        text = f"{row.key} {row.doc}".casefold()
        return all(word in text for word in self.words.casefold().split())

    def line(self, row: Entry) -> Text:
        swept, problem = swept_text(row, self.rows), self.problems.get(row.key, "")
        return row_line(row, self.size.width, swept=swept, problem=problem, is_alone=bool(self.words))

    def tell_about(self) -> None:
        """What is known of the row under the cursor."""
        row = self.current
        if row is None:
            self.query_one("#about", Static).update(Text("no such key" if self.words else ""))
            return
        text = Text()
        text.append(row.key, Style(bold=True))
        text.append(f"  {row.doc}\n")
        if problem := self.problems.get(row.key):
            text.append(f"error: {shown(problem)}", Style(color="red", bold=True))
        else:
            text.append(" · ".join(part for part in (row.about(), given_words(row)) if part), Style(dim=True))
        self.query_one("#about", Static).update(text)

    def on_resize(self, event: Resize) -> None:
        for place, row in enumerate(self.listed):
            self.options.replace_option_prompt_at_index(place, self.line(row))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.tell_about()

    # changing

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        row = self.current
        if row is None:
            return
        if swept_text(row, self.rows):  # its own value counts for nothing
            place = next((n for n, one in enumerate(self.listed) if one.path == ("sweep", row.key)), None)
            self.options.highlighted = self.options.highlighted if place is None else place
            row = self.listed[place] if place is not None else row
        if row.is_value:
            self.edit(row, as_text(row.value) if row.is_given else "", row.choices)
        elif row.kind == "names":
            keys = [one.key for one in self.rows if one.kind == "value"] if row.label == "sweep" else row.choices
            self.edit(row, "", keys)
        elif row.kind == "optional" and not row.is_on:
            self.post_message(self.Changed(row.path, {}))

    def edit(self, row: Entry, text: str, known: Sequence[str]) -> None:
        """Open the line to type in."""
        self.editing = row
        entry = self.query_one("#value", Input)
        entry.suggester = SuggestFromList(list(known), case_sensitive=False) if known else None
        what = "the dotted key to sweep" if row.key == "sweep" else "its name" if row.kind == "names" else row.about()
        entry.placeholder = what
        self.query_one("#label", Static).update(Text(f"{fitted(row.label, min(30, cell_len(shown(row.label))))} ="))
        with entry.prevent(Input.Changed):
            entry.value = text
        self.query_one("#line").add_class("open")
        entry.focus()
        # the line takes a row from the list, which may be the one that is edited
        self.call_after_refresh(self.options.scroll_to_highlight)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Each letter counts at once, so that what is wrong shows while one types; names count when they are whole."""
        event.stop()
        if event.input.id == "words":
            self.words = event.value
            self.refill()
        elif self.editing is not None and self.editing.is_value:
            self.post_message(self.Changed(self.editing.path, typed(event.value, self.editing.of)))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        row = self.editing
        if event.input.id == "value" and row is not None and row.kind == "names" and event.value.strip():
            self.add(row, event.value.strip())
        self.close(event.input)

    def add(self, row: Entry, name: str) -> None:
        """Another set, task, share or swept key."""
        if row.label == "sweep":
            of = next((one for one in self.rows if one.key == name), None)
            self.sweep_key(name, of)
        else:
            self.aim = (*row.path, name)
            self.post_message(self.Changed(self.aim, {}))

    def close(self, entry: Input) -> None:
        if entry.id == "value":
            self.editing = None
            self.query_one("#line").remove_class("open")
        else:
            entry.set_class(bool(entry.value), "open")
        self.options.focus()

    def on_key(self, event: Key) -> None:
        """Esc gives back what was there before."""
        focused = self.screen.focused
        if event.key != "escape" or not isinstance(focused, Input):
            return
        event.stop()
        row = self.editing
        if focused.id == "words":
            focused.value = ""
        elif row is not None and row.is_value:
            self.post_message(self.Changed(row.path, row.value))
        self.close(focused)

    def next_choice(self) -> None:
        """The next of the values that are allowed; where there are too many to list, the line to type in."""
        row = self.current
        if row is None or row.kind != "value" or not row.choices:
            self.options.action_select()
            return
        now = row.shown()
        place = row.choices.index(now) + 1 if now in row.choices else 0
        self.post_message(self.Changed(row.path, typed(row.choices[place % len(row.choices)], row.of)))

    def clear(self) -> None:
        """The default again, or without the keys, the set, the sweep."""
        row = self.current
        if row is not None and row.is_given and row.key != "sweep":
            self.post_message(self.Changed(row.path, MISSING))

    def sweep(self) -> None:
        """Have the key under the cursor take several values in turn."""
        row = self.current
        if row is not None and row.kind == "value" and not swept_text(row, self.rows):
            self.sweep_key(row.key, row)

    def sweep_key(self, key: str, row: Entry | None) -> None:
        given = row is not None and row.is_given
        value = row.value if row is not None and given else typed(row.default, row.of) if row is not None else 0
        self.aim = ("sweep", key)
        self.post_message(self.Changed(self.aim, [None if value in (MISSING, "none") else value]))

    def open_words(self) -> None:
        """Let the user type which rows to see."""
        entry = self.query_one("#words", Input)
        entry.add_class("open")
        entry.focus()
