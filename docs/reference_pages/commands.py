"""The command line: every command with its arguments, options and an example, from the program itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from typer.main import get_command

from reference_pages.markdown import code, page, table
from workers.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

_WITHOUT_HELP = {"--help"}


def commands_page() -> str:
    """The page of all commands."""
    top = get_command(app)
    commands = [(path, command) for path, command in _below(top) if not hasattr(command, "commands")]
    groups = [(path, command) for path, command in _below(top) if hasattr(command, "commands")]
    listed = [(f"[{code('aiops ' + ' '.join(path))}](#aiops-{'-'.join(path)})", _first_line(command))
              for path, command in commands]  # fmt: skip
    return page(
        "Command line",
        "the commands' help in workers/cli",
        "`aiops COMMAND --help` says the same. Exit codes: [codes.md](codes.md). Every command takes `--debug`, which "
        "shows the traceback of an error. Colours are off when the output is piped, and with `NO_COLOR`. "
        "`aiops --install-completion` teaches the shell to complete commands, risks, scenarios and numbers of batches.",
        table(("command", ""), listed),
        *(_section(path, command) for path, command in commands),
        "## Groups\n\n"
        + table(("group", ""), [(code("aiops " + " ".join(path)), _first_line(command)) for path, command in groups]),
    )


def _below(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from _below(command, (*path, name))


def _first_line(command: Any) -> str:
    return str(command.help or "").split("\n\n")[0]


def _section(path: tuple[str, ...], command: Any) -> str:
    text = command.help or ""
    if command.epilog:
        text += "\n\n" + command.epilog
    text, _, example = text.partition("Example: ")
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and not _WITHOUT_HELP & set(one.opts)]
    words = ["aiops", *path, *("[OPTIONS]" if options else "",), *(_metavar(one) for one in arguments)]
    parts = [
        f"## aiops {' '.join(path)}",
        f"{code(' '.join(word for word in words if word))}",
        re.sub(r"\s*\n\s*(?=\S)", " ", text.strip().replace("\n\n", "\0")).replace("\0", "\n\n"),
        table(("argument", ""), [(code(_metavar(one)), one.help or "") for one in arguments]),
        table(("option", ""), [(_names(one), _meaning(one)) for one in options]),
        f"```text\n{example.strip()}\n```" if example else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _metavar(parameter: Any) -> str:
    name = parameter.metavar or str(parameter.name).upper()
    return f"{name}…" if parameter.nargs == -1 else str(name)


def _names(option: Any) -> str:
    names = ", ".join((*option.opts, *option.secondary_opts))
    if option.is_flag:
        return code(names)
    return code(f"{names} {option.metavar or _placeholder(option)}")


def _placeholder(option: Any) -> str:
    return str(option.name).upper()


def _meaning(option: Any) -> str:
    said = str(option.help or "")
    if option.required:
        return f"{said} Needed."
    if option.default is not None and not option.is_flag and "Default" not in said:
        return f"{said} Default: {option.default}."
    return said
