"""What a piece of Python source does, read from its syntax tree: imports, calls, `async def`, `__all__`.

Imports inside functions and under `TYPE_CHECKING` count like all others: a cycle of types is a cycle.
"""

from __future__ import annotations

import ast
import sys

from tests.architecture.rules import FORBIDDEN_CALLS, RULES, Rule

CLOCK_METHODS = {"now", "utcnow", "today"}


def imported_modules(tree: ast.AST) -> list[tuple[int, str]]:
    """(line, dotted module) of each absolute import; `from x import y` is `x`."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            found.append((node.lineno, node.module))
    return found


def import_faults(code: str, package: str, rule: Rule) -> list[str]:
    """Each import of `code`, a module of `package`, that `rule` does not allow."""
    faults: list[str] = []
    for line, module in imported_modules(ast.parse(code)):
        top = module.partition(".")[0]
        if top == package:
            faults.append(f"line {line}: imports its own package as {module}; write it relative")
        elif top in RULES:
            if top not in rule.local:
                faults.append(f"line {line}: {package} may not import {top}")
            elif module != top:
                faults.append(f"line {line}: {module} is a private module; import from {top}")
        elif top in sys.stdlib_module_names:
            if rule.stdlib is not None and module not in rule.stdlib:
                faults.append(f"line {line}: {package} may not import {module} of the standard library")
            if top in rule.forbidden:
                faults.append(f"line {line}: {package} may not import {module}")
        elif top not in rule.third_party:
            faults.append(f"line {line}: {package} may not import {top}, a third-party package")
    return faults


def purity_faults(code: str, *, may_await: bool) -> list[str]:
    """Each call that does I/O or reads a clock, and each `async def` where there may be none."""
    faults: list[str] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.AsyncFunctionDef) and not may_await:
            faults.append(f"line {node.lineno}: async def {node.name}")
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=name) if name in FORBIDDEN_CALLS:
                faults.append(f"line {node.lineno}: calls {name}()")
            case ast.Attribute(
                value=ast.Name(id="datetime" | "date") | ast.Attribute(attr="datetime" | "date")
            ):
                if node.func.attr in CLOCK_METHODS:
                    faults.append(f"line {node.lineno}: reads the clock by .{node.func.attr}()")
    return faults


def literal_all(code: str) -> list[str] | None:
    """The names of `__all__` if it is one literal list of strings, else None."""
    values = [
        node.value
        for node in ast.parse(code).body
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == "__all__"
    ]
    if len(values) != 1 or not isinstance(values[0], ast.List):
        return None
    names = [item.value for item in values[0].elts if isinstance(item, ast.Constant)]
    strings = [name for name in names if isinstance(name, str)]
    return strings if len(strings) == len(values[0].elts) else None


def public_names(code: str) -> set[str]:
    """The names without a leading underscore that the top level of a module binds."""
    bound: set[str] = set()
    for node in ast.parse(code).body:
        match node:
            case ast.ImportFrom(module="__future__"):
                pass
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                bound |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.Assign(targets=targets):
                bound |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                bound.add(name)
            case _:
                pass
    return {name for name in bound if not name.startswith("_")}
