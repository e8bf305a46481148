"""Floor 6: one kubeconfig: what it says, and a user's ``exec`` entry put in or taken out.

PyYAML (the extra ``kubectl``) tells where things stand; the text is cut and joined
there. An entry goes first among what a user has, since there its place is plain:

    user:                  user: # {}             {"user": {"exec": {...}, "as": "x"}}
      exec:                  exec:
        apiVersion: ...        apiVersion: ...
      as: x

In the middle stood an empty mapping in braces, which the undo reads from the comment.
Whatever cannot be changed without a doubt is refused: a part that aliases share, a
merge key, an explicit null. Of the result, the parser's events must be those from
before, with one run of events more or less.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wxhelper.errors import ConfigurationError, printable
from wxhelper.installers import file, objects
from wxhelper.installers.objects import Member

try:
    import yaml
except ImportError:
    AVAILABLE = False
else:
    AVAILABLE = True

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9/._-]*|--[a-z-]+|client\.authentication\.k8s\.io/v1")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
_EMPTY, _WAS_EMPTY = "{}", "# {}"
_MARK = re.compile(rf"[ \t]*:[ \t]+{_WAS_EMPTY}")
_REST_OF_LINE = re.compile(r"[ \t]*(#[^\r\n]*)?(\r?\n|\Z)")
_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"

Exec = Mapping[str, str | bool | Sequence[str]]
"""An ``exec`` entry as it is to be written."""


@dataclass(frozen=True)
class User:
    """One entry of ``users``.

    Attributes:
        name: its name.
        keys: what its ``user`` says, the values of ``exec`` as plain data, those of
            others as None: they may be secrets.
    """

    name: str
    keys: Mapping[str, Any]
    node: Any


class Kubeconfig:
    """A kubeconfig's text, understood.

    Args:
        text: its content.
        path: its name, for messages.

    Attributes:
        current: the current context, or "".
        contexts: name to its cluster and user.
        servers: cluster to its server's address.
        users: by name.

    Raises:
        ConfigurationError: it cannot be understood.
    """

    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path
        root = _parsed(text, path)
        if root is not None and not isinstance(root, yaml.MappingNode):
            raise file.broken(path, 1, "it is no mapping")
        self._shared = _shared(root)
        self.current = _word(self._get(root, "current-context"))
        self.contexts: dict[str, tuple[str, str]] = {}
        self.servers: dict[str, str] = {}
        self.users: dict[str, User] = {}
        for name, node in self._named(root, "contexts"):
            inner = self._get(node, "context")
            parts = (_word(self._get(inner, "cluster")), _word(self._get(inner, "user")))
            self.contexts[name] = parts
        for name, node in self._named(root, "clusters"):
            self.servers[name] = _word(self._get(self._get(node, "cluster"), "server"))
        for name, node in self._named(root, "users"):
            pairs = _pairs(self._get(node, "user"))
            keys = {key.value: None for key, _ in pairs if _is_scalar(key)}
            if "exec" in keys:
                keys["exec"] = _data(self._get(self._get(node, "user"), "exec"))
            self.users[name] = User(name, keys, node)

    def with_exec(self, name: str, entry: Exec) -> str:
        """The text in which a user that has no ``exec`` has one.

        Raises:
            ConfigurationError: it cannot be put there without a doubt.
        """
        item = self.users[name].node
        key, user = self._pair(item, "user")
        self._refuse_doubtful(item, key, user)
        if not isinstance(user, yaml.ScalarNode | yaml.MappingNode):
            raise self._doubtful(item, f"{printable(name, 60)} has no mapping called user")
        if isinstance(user, yaml.ScalarNode):
            if user.value or user.style or user.start_mark.index != user.end_mark.index:
                raise self._doubtful(user, "the user is null; write user: {} instead")
            end = _REST_OF_LINE.match(self._text, user.end_mark.index)
            if end is None or item.flow_style or _MARK.match(self._text, key.end_mark.index):
                raise self._doubtful(user, "the user is empty; write user: {} instead")
            made = self._block(self._text, end.end(), key.start_mark.column + 2, entry)
        elif user.flow_style:
            in_block = None if item.flow_style else self._in_place_of_braces(key, user, entry)
            made = in_block or self._flow(user, entry)
        else:
            made = self._above(user, entry)
        return self._checked(made, name, dict(entry))

    def without_exec(self, name: str) -> str:
        """The text in which a user has no ``exec`` any more.

        Raises:
            ConfigurationError: it cannot be taken away without a doubt.
        """
        item = self.users[name].node
        key, user = self._pair(item, "user")
        self._refuse_doubtful(item, key, user)
        gone_key, gone = self._pair(user, "exec")
        self._refuse_doubtful(user, gone_key, gone)
        if user.flow_style:
            before = [
                Member(k.value, k.start_mark.index, v.start_mark.index, v.end_mark.index)
                for k, v in user.value
            ]
            leaving = [member for member in before if member.start == gone_key.start_mark.index]
            return self._checked(objects.take(self._text, before, leaving), name, None)
        start = gone_key.start_mark.index - gone_key.start_mark.column
        end = _REST_OF_LINE.match(self._text, _end(gone)) if _end(gone) else None
        if end is None or self._text[start : gone_key.start_mark.index].strip(" "):
            raise self._doubtful(gone, "something else stands on the lines of its exec entry")
        if not end[2] and start:
            # The text did not end its last line, and got an end for ours alone.
            start -= 2 if self._text[:start].endswith("\r\n") else 1
        head = self._text[:start]
        was_empty = len(user.value) == 1 and _MARK.match(head, key.end_mark.index)
        if was_empty:
            at = was_empty.end()
            head = head[: at - len(_WAS_EMPTY)] + _EMPTY + head[at:]
        return self._checked(head + self._text[end.end() :], name, None)

    def _in_place_of_braces(
        self, key: "yaml.Node", user: "yaml.MappingNode", entry: Exec
    ) -> str | None:
        """The text with the entry as a block, if there are just two braces on the line."""
        start, stop = user.start_mark.index, user.end_mark.index
        end = _REST_OF_LINE.match(self._text, stop)
        marked = self._text[:start] + _WAS_EMPTY + self._text[stop:]
        found = _MARK.match(marked, key.end_mark.index)
        if self._text[start:stop] != _EMPTY or end is None or found is None:
            return None
        at = end.end() + len(_WAS_EMPTY) - len(_EMPTY)
        return self._block(marked, at, key.start_mark.column + 2, entry)

    @staticmethod
    def _block(text: str, at: int, column: int, entry: Exec) -> str:
        """The text with the entry's lines there, where a line begins or the text ends."""
        end = file.newline(text)
        lines = end.join(" " * column + line for line in block(entry))
        head, tail = text[:at], text[at:]
        if tail or head.endswith("\n"):
            return head + lines + end + tail
        return head + end + lines

    def _above(self, user: "yaml.MappingNode", entry: Exec) -> str:
        first = user.value[0][0].start_mark
        line = first.index - first.column
        if self._text[line : first.index].strip(" ") or user.start_mark.index != first.index:
            raise self._doubtful(user, "something else stands before the user's first key")
        return self._block(self._text, line, first.column, entry)

    def _flow(self, user: "yaml.MappingNode", entry: Exec) -> str:
        brace = user.start_mark.index
        if self._text[brace] != "{":
            raise self._doubtful(user, "an anchor or a tag stands before the user's brace")
        before = [
            Member(k.value, k.start_mark.index, v.start_mark.index, v.end_mark.index)
            for k, v in user.value
        ]
        written = '"exec": ' + json.dumps(dict(entry), ensure_ascii=False)
        return objects.put(self._text, brace, before, [written])

    def _checked(self, made: str, name: str, wanted: object) -> str:
        """The new text, if it says what it is meant to say and nothing else."""
        longer, shorter = (_events(made), _events(self._text))
        if wanted is None:
            longer, shorter = shorter, longer
        try:
            again: Kubeconfig | None = Kubeconfig(made, self._path)
        except ConfigurationError:
            again = None
        user = again.users.get(name) if again is not None else None
        said = user.keys.get("exec") if user is not None else ...
        if said != wanted or not _one_run_more(longer, shorter):
            raise self._doubtful(self.users[name].node, "this way of writing is not understood")
        return made

    def _refuse_doubtful(self, *nodes: Any) -> None:
        for node in nodes:
            if node is not None and id(node) in self._shared:
                raise self._doubtful(node, "an alias shares this part with others")
            if any(key.tag == _MERGE for key, _ in _pairs(node)):
                raise self._doubtful(node, "a merge key (<<) adds to this part")

    def _doubtful(self, node: Any, reason: str) -> ConfigurationError:
        line = node.start_mark.line + 1
        return ConfigurationError(
            f"{self._path}, line {line}: {reason}; nothing was changed",
            remedy="change it by hand, or write that user in another way",
        )

    def _get(self, node: Any, name: str) -> Any:
        return self._pair(node, name)[1]

    def _pair(self, node: Any, name: str) -> tuple[Any, Any]:
        found = [(key, value) for key, value in _pairs(node) if key.value == name]
        if len(found) > 1:
            raise file.broken(self._path, found[1][0].start_mark.line + 1, f"{name} is there twice")
        return found[0] if found else (None, None)

    def _named(self, root: Any, kind: str) -> list[tuple[str, Any]]:
        """The entries of one of the lists, each with its name."""
        listed = self._get(root, kind)
        found: dict[str, Any] = {}
        for node in listed.value if isinstance(listed, yaml.SequenceNode) else []:
            name = _word(self._get(node, "name"))
            if name in found:
                line = node.start_mark.line + 1
                shown = printable(name, 60)
                raise file.broken(self._path, line, f"{kind} has {shown} for the second time")
            found[name] = node
        return list(found.items())


def block(entry: Exec) -> list[str]:
    """The entry as lines of YAML."""
    lines = ["exec:"]
    for key, value in entry.items():
        if isinstance(value, bool):
            shown = str(value).lower()
        elif isinstance(value, str):
            shown = _scalar(value)
        else:
            shown = f"[{', '.join(map(_scalar, value))}]"
        lines.append(f"  {key}: {shown}")
    return lines


def _scalar(text: str) -> str:
    """A string that every YAML parser takes for that string."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


def _parsed(text: str, path: str) -> Any:
    try:
        return yaml.SafeLoader(_spaced(text)).get_single_node()
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        line = mark.line + 1 if mark is not None else 1
        said = printable(fault.problem or "it is not YAML", 100)
        if isinstance(fault, yaml.composer.ComposerError) and "document" in (fault.context or ""):
            said = "it holds several documents, and kubectl reads one"
        raise file.broken(path, line, said) from None
    except yaml.YAMLError as fault:
        place = getattr(fault, "position", 0)
        line = text.count("\n", 0, place) + 1 if isinstance(place, int) else 1
        raise file.broken(path, line, "a character that YAML does not allow") from None
    except RecursionError:
        raise file.broken(path, 1, "it is nested too deeply") from None


def _spaced(text: str) -> str:
    """The text for the parser: tabs indent JSON and not YAML; no string of good JSON has one."""
    if "\t" not in text:
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text.replace("\t", " ")


def _events(text: str) -> list[tuple[object, ...]]:
    """What the text says, without how it is written."""
    try:
        return [
            (
                type(event).__name__,
                getattr(event, "anchor", None),
                getattr(event, "tag", None),
                getattr(event, "value", None),
                getattr(event, "implicit", None) == (True, False),
            )
            for event in yaml.parse(_spaced(text), Loader=yaml.SafeLoader)
        ]
    except (yaml.YAMLError, RecursionError):
        return []


def _one_run_more(longer: Sequence[object], shorter: Sequence[object]) -> bool:
    """Whether one has a run of events more than the other, or has it for an empty value."""
    more = len(longer) - len(shorter)
    same = 0
    while same < len(shorter) and longer[same] == shorter[same]:
        same += 1
    if more <= 0 or not shorter:
        return False
    return longer[same + more :] == shorter[same:] or (
        longer[same + more + 1 :] == shorter[same + 1 :]
    )


def _pairs(node: Any) -> list[tuple[Any, Any]]:
    return node.value if isinstance(node, yaml.MappingNode) else []


def _word(node: Any) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) and node.tag != _NULL else ""


def _data(node: Any) -> Any:
    """A mapping as plain data; what is deeper than a list of scalars stands as an ellipsis."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: _leaf(value) for key, value in node.value if _is_scalar(key)}
    return _leaf(node)


def _leaf(node: Any) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_leaf(each) if _is_scalar(each) else ... for each in node.value]
    if not _is_scalar(node):
        return ...
    if node.tag == "tag:yaml.org,2002:bool":
        return node.value.lower() == "true"
    return None if node.tag == _NULL else node.value


def _is_scalar(node: Any) -> bool:
    return isinstance(node, yaml.ScalarNode)


def _end(node: Any) -> int:
    """Where a value ends, or 0; a block's own mark is after the spaces behind it."""
    if _is_scalar(node) and node.style in ("|", ">"):
        return 0  # its mark is on a later line
    if _is_scalar(node) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _shared(root: Any) -> set[int]:
    """The nodes that more than one place refers to."""
    seen, shared, waiting = {id(root)}, set(), [root]
    while waiting:
        node = waiting.pop()
        inner = node.value if node is not None and not isinstance(node, yaml.ScalarNode) else []
        for child in (c for part in inner for c in (part if isinstance(part, tuple) else [part])):
            if id(child) in seen:
                shared.add(id(child))
            else:
                seen.add(id(child))
                waiting.append(child)
    return shared
