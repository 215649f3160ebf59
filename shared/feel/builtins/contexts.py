"""Functions of contexts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import Functions

if TYPE_CHECKING:
    from shared.feel.budget import Run

FUNCTIONS = Functions()
Context = dict[str, object]
#: How deep `context put` reaches; each key costs a copy.
MAX_KEYS = 50


@FUNCTIONS.define("get value(m: context, key: string)", "get value(context: context, keys: list)")
def get_value(run: Run, context: Context, key: object) -> object:
    """Return an entry by key, or by a list of keys that leads into contexts within."""
    found: object = context
    for step in key if isinstance(key, list) else [key]:
        found = found.get(step) if isinstance(found, dict) and isinstance(step, str) else None
    return found


@FUNCTIONS.define("get entries(m: context)", "get entries(context: context)")
def get_entries(run: Run, context: Context) -> list[object]:
    """Return a context as a list of {key, value}."""
    run.allocate(2 * len(context))
    return [{"key": key, "value": value} for key, value in context.items()]


@FUNCTIONS.define("context(entries: list)")
def context(run: Run, entries: list[object]) -> Context | None:
    """Return a context from a list of {key, value}; null when a key is missing or twice there."""
    made: Context = {}
    run.allocate(2 * len(entries))
    for entry in entries:
        if not isinstance(entry, dict) or "value" not in entry:
            return None
        key = entry.get("key")
        if not isinstance(key, str) or key in made:
            return None
        made[key] = entry["value"]
    return made


@FUNCTIONS.define(
    "context put(context: context, key: string, value: any)",
    "context put(context: context, keys: list, value: any)",
)
def context_put(run: Run, context: Context, key: object, value: object) -> Context | None:
    """Return a context with an entry added or replaced, also deep inside by a list of keys."""
    steps = key if isinstance(key, list) else [key]
    keys = [step for step in steps if isinstance(step, str)]
    if not keys or len(keys) != len(steps) or len(keys) > MAX_KEYS:
        return None
    return _put(run, context, keys, value)


def _put(run: Run, context: object, keys: list[str], value: object) -> Context | None:
    if not isinstance(context, dict):
        return None
    run.allocate(len(context) + 1)
    if len(keys) == 1:
        return {**context, keys[0]: value}
    inner = _put(run, context.get(keys[0], {}), keys[1:], value)
    return None if inner is None else {**context, keys[0]: inner}


@FUNCTIONS.define("context merge(contexts: list)", "context merge(context*: context)")
def context_merge(run: Run, contexts: list[object]) -> Context | None:
    """Return one context out of several, later entries over earlier ones."""
    merged: Context = {}
    for item in contexts:
        if not isinstance(item, dict):
            return None
        run.allocate(len(item))
        merged.update(item)
    return merged
