"""Our own rules, as functions from a file to complaints; each complaint says what to do."""

import ast
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60

PRODUCT = ("copyplugin/", "migrations/", "simexchange/", "web/")
EXACT = ("copyplugin/domain/", "simexchange/core/")  # where a float would be a lost cent
INTEGERS = ("simexchange/core/",)
WORDS = ("copyplugin/domain/",)

BETTER_WORDS = {
    "amount": "copy_amount, money, contracts or base_quantity",
    "pnl": "realized_pnl, unrealized_pnl or profit with what is in it",
    "qty": "contracts or base_quantity",
    "quantity": "contracts or base_quantity",
    "size": "contracts, notional or contract_size",
    "trade": "fill, order or copied_position",
}

NOT_OURS = {"__pycache__", "build", "dist", "htmlcov", "node_modules", "test-results", "var"}
TEXT = {"", ".cfg", ".conf", ".css", ".html", ".ini", ".js", ".json", ".mako", ".md", ".mjs"}
TEXT |= {".po", ".py", ".service", ".sh", ".svg", ".toml", ".txt", ".yaml", ".yml"}
HOMES = ("home", "root", "Users", "mnt", "work")
PERSONAL_PATH = re.compile(rf"(?<![\w.~}}/-])/(?:{'|'.join(HOMES)})/[\w.-]+|[A-Z]:\\Users\\")


@dataclass(frozen=True)
class Source:
    """A file of the repository: its path from the root, with slashes, and its text."""

    path: str
    text: str

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)


Rule = Callable[[Source], Iterator[str]]


def sources(root: Path = ROOT) -> Iterator[Source]:
    """Yield every text file that is ours, in a fixed order; no git is needed to know which."""
    for folder, folders, files in os.walk(root):
        kept = (name for name in folders if name not in NOT_OURS and not name.endswith(".egg-info"))
        folders[:] = sorted(name for name in kept if not name.startswith(".") or name == ".ci")
        if folder.endswith("static/vendor"):
            continue  # fetched by the lock file
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix in TEXT and name != ".git" and not name.startswith(".coverage"):
                yield Source(path.relative_to(root).as_posix(), path.read_text("utf-8"))


def short_files(source: Source) -> Iterator[str]:
    lines = source.text.count("\n")
    if source.is_python and lines > FILE_LINES_MAX:
        yield f"{source.path}: {lines} lines, at most {FILE_LINES_MAX}: split it by noun"


def short_functions(source: Source) -> Iterator[str]:
    if not source.is_python or source.path.startswith("migrations/versions/"):
        return  # a revision is one list of tables
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield (
                    f"{source.path}:{node.lineno}: {node.name} has {lines} lines, "
                    f"at most {FUNCTION_LINES_MAX}: give its parts names"
                )


def module_docstrings(source: Source) -> Iterator[str]:
    if source.is_python and source.path.startswith((*PRODUCT, "hatch_build.py")):
        docstring = ast.get_docstring(source.tree())
        if not docstring:
            yield f"{source.path}:1: say in one sentence what this module is for"


def no_floats(source: Source) -> Iterator[str]:
    if not (source.is_python and source.path.startswith(EXACT)):
        return
    for node in ast.walk(source.tree()):
        where = f"{source.path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield f"{where}: {node.value} is a float: money and prices are exact here"
        elif isinstance(node, ast.Name) and node.id in {"float", "complex"}:
            yield f"{where}: {node.id} does not belong here: money and prices are exact"


def no_true_division(source: Source) -> Iterator[str]:
    """Report / where nothing nearby says that its operands are exact."""
    if not (source.is_python and source.path.startswith(INTEGERS)):
        return
    for statement in outermost_statements(source.tree()):
        if any(word in ast.unparse(statement) for word in ("Fraction", "Decimal")):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
                yield f"{source.path}:{node.lineno}: / makes floats: use // and say which way"


def outermost_statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield functions and methods whole, and what stands outside of them."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from node.body
        else:
            yield node


def telling_parameters(source: Source) -> Iterator[str]:
    if not (source.is_python and source.path.startswith(WORDS)):
        return
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.arg) and node.arg in BETTER_WORDS:
            better = BETTER_WORDS[node.arg]
            yield f"{source.path}:{node.lineno}: {node.arg} of what? Say {better}"
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id  # a field of a dataclass is a parameter too
            if name in BETTER_WORDS:
                yield f"{source.path}:{node.lineno}: {name} of what? Say {BETTER_WORDS[name]}"


def no_personal_paths(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        found = PERSONAL_PATH.search(line)
        if found:
            yield f"{source.path}:{number}: {found[0]} exists on one machine only"


RULES: tuple[Rule, ...] = (
    short_files,
    short_functions,
    module_docstrings,
    no_floats,
    no_true_division,
    telling_parameters,
    no_personal_paths,
)
