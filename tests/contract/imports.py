"""The import graph of the package, read from its sources."""

import ast
from collections import defaultdict
from pathlib import Path

from reeuncert.system.graph import strong_components

SOURCE = Path(__file__).parents[2] / "src"


def module_name(path: Path, source: Path) -> str:
    """Dotted name of a file of a package."""
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def import_graph(source: Path = SOURCE) -> dict[str, set[str]]:
    """Module → modules of the package that it imports, at any depth of its code, but not for types alone."""
    trees = {module_name(p, source): ast.parse(p.read_text()) for p in sorted(source.rglob("*.py"))}
    return {name: {m for m in _imports(tree, trees) if m != name} for name, tree in trees.items()}


def _imports(tree: ast.AST, modules: dict[str, ast.Module]) -> set[str]:
    found: set[str] = set()
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in modules else node.module)
        todo.extend(ast.iter_child_nodes(node))
    return found & set(modules)


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of nodes that import each other."""
    names = list(graph)
    number = {name: i for i, name in enumerate(names)}
    components = strong_components([[number[m] for m in sorted(graph[name])] for name in names])
    return [[names[i] for i in component] for component in components if len(component) > 1]


def room(module: str) -> str:
    """The part of the package to which a module belongs."""
    return ".".join(module.split(".")[:2])


def rooms(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The import graph of the rooms; the public names of the package itself are left out."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, imported in graph.items():
        if room(name) != "reeuncert":
            found[room(name)] |= {room(m) for m in imported} - {room(name), "reeuncert"}
    return dict(found)
