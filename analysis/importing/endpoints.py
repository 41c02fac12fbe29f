"""A dataset's own endpoints: a time with its status makes days and an entry of `analysis`.

A time and its status are read as those of a reserved day are. So `pfs` makes `pfs_day`, and where
they differ from the last contact `pfs_until_day`, until when the others are followed.
"""

from __future__ import annotations

from typing import Any

from ..dataset.problems import DataError
from .dates import UNITS
from .mapping import OPEN, at, columns_of, place_of
from .reading import Reading
from .words import STEMS, sentence

# How the days of an endpoint are made. Its other keys are those of `analysis.endpoints`.
MAKING = ("time", "paramcd", "as", "status", "happened", "competed", "not_happened")
ENTRY = "entry_day"


def with_days(told: dict[str, Any]) -> dict[str, Any]:
    """A mapping in which each time and status of an endpoint is a reserved day: of `pfs` `pfs_day`.

    An endpoint whose title is blank is left out, and so are its columns. A blank column of
    `reserved` says that there is none.
    """
    optional = {"died", ENTRY}
    reserved = {
        name: entry
        for name, entry in told["reserved"].items()
        if name not in optional or entry.get("column") != ""
    }
    if ENTRY in reserved:
        reserved[ENTRY] = {"title": "Under observation from", **reserved[ENTRY]}
    plans, dropped = {}, dict(told.get("dropped") or {})
    survival = reserved["last_contact_day"].get("paramcd", OPEN)
    for name, entry in (told.get("endpoints") or {}).items():
        if entry.get("paramcd") == survival:  # which `os` has already
            continue
        if entry["title"] == "":
            columns = filter(None, (entry.get("time"), entry.get("status")))
            dropped |= dict.fromkeys(columns, "an outcome that was left out")
            continue
        plans[name] = entry
        making = {key: entry[key] for key in MAKING if key in entry}
        if "time" in making:
            making["column"] = making.pop("time")
        if making:
            reserved[f"{name}_day"] = making | {"title": entry.get("event", _event(entry["title"]))}
    return told | {"reserved": reserved, "endpoints": plans, "dropped": dropped}


def own_word(names: list[str], usual: str = "relapse") -> str:
    """The word for relapse with which the names of its columns begin: recurrence_date."""
    words = [w for w in STEMS["relapse_day"] if not usual.startswith(w.removeprefix("first_"))]
    return next((word for word in words if any(n.startswith(word) for n in names)), usual)


def in_words(plan: dict[str, Any], word: str) -> dict[str, Any]:
    """An endpoint of the paper in a file's own word for relapse; its figure is in no such book."""
    keys = {key: value for key, value in plan.items() if key not in ("name", "figure")}
    for key in {"title", "event", "competing_event"} & {*keys}:
        told = keys[key].replace("relapse", word)
        keys[key] = told.replace("Relapse", word.capitalize())
    return keys


def _event(title: str) -> str:
    """The event that a title names: infection of Time to infection."""
    rest = title.removeprefix("Time to ")
    return rest[:1].upper() + rest[1:]


def declared(made: Reading) -> list[dict[str, Any]]:
    """The entries of `analysis.endpoints`, with the columns that they need besides their events."""
    plans = []
    for day in made.parts:
        _within_rounding(made, day)
    for name, entry in made.told["endpoints"].items():
        given = {key: value for key, value in entry.items() if key not in MAKING and value}
        if "events" not in given and f"{name}_day" in made.columns:
            event = _in_words(made.columns[f"{name}_day"].field["title"])
            made_of = {"events": [f"{name}_day"], "until": f"{name}_until_day"}
            given = {"title": entry["title"], "event": event} | made_of | given
        if given.get("events") == ["died"] and "died" not in made.columns:
            made.notes.append(f"  {name}: {sentence('no_death_recorded')}")
            continue
        if "events" not in given:
            made.problems.append(at(f"endpoints.{name}", sentence("no_events"), "neither"))
            continue
        plans.append({"name": name, **_with_parts(made, given)})
    return plans


def _within_rounding(made: Reading, day: str) -> None:
    """Let a day that rounding alone puts past the last contact, or apart from it, be that day.

    So months beside days: 12 months are 365.25 days, where the last contact is on day 365.
    """
    if "" in columns_of(made.reserved["last_contact_day"]):  # it is one of these days itself
        return
    days, last = made.columns[day].values, made.columns["last_contact_day"].values
    rounded, parts = [_rounding(made, name) for name in (day, "last_contact_day")], made.parts[day]
    if rounded[0][0] == rounded[1][0]:  # one unit for both
        return
    room = max(length for _, length in rounded)
    ends = [(text, float(text) if text else None) for text in last]
    late = [
        bool(text) and end is not None and 0 < float(text) - end <= room
        for text, (_, end) in zip(days, ends, strict=True)
    ]
    column = made.columns[day]
    column.values = [
        contact if past else text for text, contact, past in zip(days, last, late, strict=True)
    ]
    if any("." in text for text in column.values):
        column.field["type"] = "number"
    parts.until = [
        contact if text and end is not None and abs(float(text) - end) <= room else text
        for text, (contact, end) in zip(parts.until, ends, strict=True)
    ]
    made.count(day, sum(late), sentence("rounded"))


def _rounding(made: Reading, day: str) -> tuple[str, float]:
    """The unit of a day in the file, and to how many days its last digit rounds."""
    entry = made.reserved[day]
    columns = [column for column in columns_of(entry) if column]
    how = entry.get("as") or (made.source[columns[0]].unit if columns else "")
    if how not in UNITS:
        return how, 0
    cells = [text for column in columns for text in made.source.text[column]]
    return how, made.lengths[how] * 10 ** -max(len(text.partition(".")[2]) for text in cells)


def _with_parts(made: Reading, plan: dict[str, Any]) -> dict[str, Any]:
    """An entry with the competing event, the end of follow-up and the unknown of its event."""
    day = plan["events"][0]
    name, parts = day.removesuffix("_day"), made.parts.get(day)
    if parts and any(parts.competing):
        _add(made, f"{name}_competing_day", parts.competing, day, plan.get("competing_event"))
        plan = {**plan, "competing": [*plan.get("competing", []), f"{name}_competing_day"]}
    elif "competing" not in plan:
        plan.pop("competing_event", None)  # of which there was none
    until = plan.get("until", "")
    if until.endswith("_until_day") and until not in made.columns:
        plan = _followed(made, plan, until.removesuffix("_until_day"))
    late = ENTRY in made.columns and "from" not in plan
    return {**plan, "entry": ENTRY} if late and "entry" not in plan else plan


def _followed(made: Reading, plan: dict[str, Any], name: str) -> dict[str, Any]:
    """An entry followed as its time and status say, where that is not to the last contact.

    Only those of whom the file has the time are asked.
    """
    day, parts = f"{name}_day", made.parts.get(f"{name}_day")
    if day not in made.columns:
        return plan
    title, last = made.columns[day].field["title"], made.columns["last_contact_day"].values
    pairs = zip(parts.until, last, strict=True) if parts else ()
    if any(end and end != contact for end, contact in pairs):
        _add(made, plan["until"], parts.until, day, f"{title}, followed to")
    else:
        plan = {key: value for key, value in plan.items() if key != "until"}
    if parts and parts.unknown and "among" not in plan:
        words = ["no" if place in parts.unknown else "yes" for place in range(len(last))]
        _add(made, f"{name}_known", words, day, f"{title}, known", "string")
        made.notes.append(f"  {name}: {sentence('unknown', count=len(parts.unknown))}")
        plan = {**plan, "among": f"{name}_known"}
    return plan


def _add(
    made: Reading, name: str, values: list[str], day: str, title: str | None, kind: str = "number"
) -> None:
    """A column that goes with the day of an event, made of the same cells."""
    if name in made.columns:
        return
    limits = {"enum": ["yes", "no"]} if kind == "string" else {"minimum": 0}
    title = title or f"Competing with {_in_words(made.columns[day].field['title'])}"
    said = sentence("goes_with", place=place_of(day, made.told))
    parts = values, made.columns[day].cells, said
    made.add(name, parts, title=title, type=kind, constraints=limits)


def _in_words(title: str) -> str:
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def longest(made: Reading) -> list[str]:
    """The longest follow-up in any endpoint, as the last contact of a file that has none."""
    if not made.follow_up:
        raise DataError([at("reserved.last_contact_day", sentence("no_last_contact"), '""')])
    rows = zip(*made.follow_up, strict=True)
    return [max(filter(None, days), key=float, default="") for days in rows]
