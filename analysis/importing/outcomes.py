"""Whether an event happened and who died: by a status, by its codes, or by the records of ADTTE."""

from __future__ import annotations

import re
from typing import Any

from ..dataset.columns import EVENT_DAYS
from ..dataset.problems import DataError, Problem, raise_any
from . import adam
from .mapping import NO_STATUS, absent, at, columns_of, in_line
from .meaning import Cells, Codes
from .reading import Parts, Reading
from .source import mostly
from .words import PATTERNS, STEMS, WORDS, counted, plain_words, sentence, stem


def happened(made: Reading, name: str, days: list[str], said: str) -> tuple[list[str], str]:
    """The days of an event only where its status says that it happened."""
    entry, place, source = made.reserved[name], made.place(name), made.source
    column = entry.get("status")
    if column is None:
        _ask_status(made, name, days)
    if column in (None, NO_STATUS):
        return days, said
    raise_any(absent(source, [column], f"{place}.status"))
    guess = source[column].event_codes
    yes, no = _codes(made, name, column, ("happened", "not_happened"), guess)
    words = made.words(source.cells(column), yes, no, entry.get("competed", []))
    pairs = list(zip(map(bool, days), words, strict=True))
    left_out, undated = pairs.count((True, "no")), pairs.count((False, "yes"))
    if left_out and undated > pairs.count((True, "yes")):
        patients = counted(words.count("yes"), "patient")
        numbers = {"undated": undated, "patients": patients, "left_out": left_out}
        made.problems.append(at(place, sentence("wrong_way_round", column=column, **numbers)))
    if place.startswith("reserved"):
        made.count(name, left_out, sentence("day_without_event", column=column))
    made.count(name, undated, sentence("event_without_day", column=column))
    _parts(made, name, days, words)
    return _where("yes", days, words), f"{said}, where {column} is {', '.join(yes)}"


def _parts(made: Reading, name: str, days: list[str], words: list[str]) -> None:
    """Keep what a status says besides the event.

    Where some without the event have a day, it is a time of follow-up: a blank one is not known.
    """
    until, competing = _where("no", days, words), _where("other", days, words)
    blank = {place for place, day in enumerate(days) if not day} if any(until) else set()
    made.parts[name] = Parts(until, competing, blank)
    if any(until):
        made.follow_up.append(days)


def _where(word: str, days: list[str], words: list[str]) -> list[str]:
    return [day if said == word else "" for day, said in zip(days, words, strict=True)]


def _codes(
    made: Reading, name: str, column: str, keys: tuple[str, str], guess: Codes | None
) -> Codes:
    """The codes of yes and no that the mapping has, else those that are beyond doubt."""
    found = [made.reserved[name].get(key) for key in keys]
    yes, no = (told or own for told, own in zip(found, guess or (None, None), strict=True))
    others = {*made.source[column].text} - {*(yes or ()), *made.reserved[name].get("competed", ())}
    if no is None and yes and len(others) == 1:
        no = [*others]
    if yes is None or no is None:
        expected = "dead and alive" if name == "died" else sentence("no_codes")
        has = f"{column} has {made.source[column].found()}"
        raise DataError([at(made.place(name), expected, "no codes", has)])
    return yes, no


def _ask_status(made: Reading, name: str, days: list[str]) -> None:
    """Where another column may contradict the days of an event, the mapping has to say it."""
    source, used = made.source, {c for part in made.reserved.values() for c in columns_of(part)}
    found = source.partners(STEMS.get(name, ()), columns_of(made.reserved[name]), used)
    found = [c for c in found if not _agree(days, source.text[c].tolist())]
    if found:
        values = "; ".join(f"{c} has {source[c].found()}" for c in found)
        expected = sentence("no_status")
        made.problems.append(at(made.place(name), expected, "no status", values))


def _agree(days: list[str], statuses: list[str]) -> bool:
    """True where a day stands exactly beside the values of a status that say it happened.

    Where every patient has a day, blank days say nothing, and there is nothing to agree with.
    """
    pairs = {(day != "", status) for day, status in zip(days, statuses, strict=True)}
    beside, without = ({status for day, status in pairs if day is has} for has in (True, False))
    return bool(beside and without) and not beside & without


def coded_deaths(made: Reading, entry: dict[str, Any]) -> tuple[list[str], Cells, str]:
    """Yes and no by the codes of the mapping; `*` stands for any other value."""
    source, column = made.source, entry["column"]
    cells, guess = source.cells(column), source[column].death_codes
    dead, alive = _codes(made, "died", column, ("dead", "alive"), guess)
    values = made.words(cells, dead, alive)
    _dates_of_death(made, cells, values)
    for other, (count, of) in source.disputes(column, values).items():
        if mostly(count, of) and other not in entry.get("although", []):
            told = {
                "count": count,
                "patients": counted(of, "patient"),
                "although": in_line([other]),
            }
            made.problems.append(
                at("reserved.died", sentence("deaths_disputed", other=other, **told))
            )
        made.notes.append(f"  died: {other} says otherwise of {counted(count, 'patient')}")
    ends = [code for code in alive if _may_be_event(source[column].levels.get(code, code))]
    if len({*alive}) > 1 and ends:
        told = ", ".join(f"{code} ({cells.texts.count(code)})" for code in ends)
        made.notes.append("  " + sentence("ends_of_the_living", column=column, ends=told))
    for other, both in source.undecided(column, values).items():
        told = sentence("deaths_undecided", codes=", ".join(both), other=other)
        made.notes.append(f"  {told}")
    yes, no = (", ".join(code or "blank" for code in part) for part in (dead, alive))
    return values, cells, f"from {column} (yes is {yes}; no is {no})"


def _may_be_event(text: str) -> bool:
    """True for a word that is none for alive, censored or nothing, such as `transplant`."""
    word = plain_words(text)
    quiet = {*WORDS["alive"], *WORDS["no"], *WORDS["not_happened"]}
    said = word in quiet or PATTERNS["censoring"].search(word)
    return bool(re.search("[a-z]", word)) and not said


def _dates_of_death(made: Reading, cells: Cells, values: list[str]) -> None:
    """A date of death makes a death; a death without one is counted at the last contact."""
    first, *others = columns_of(made.reserved["last_contact_day"])
    if not others or stem(first) not in STEMS["death"]:
        return
    pairs = list(zip(made.source.text[first], values, strict=True))
    for place, (day, died) in enumerate(pairs):
        if day and died == "no":
            made.problems.append(cells.problem(place, f"a death, as {first} has {day}"))
    if undated := pairs.count(("", "yes")):
        made.notes.append("  " + sentence("deaths_undated", count=undated, column=first))


def recorded_days(
    made: Reading, name: str, parameter: adam.Parameter
) -> tuple[list[str], Cells, str]:
    """Days of a parameter of ADTTE: all for the last contact, else those of events."""
    made.problems += parameter.problems
    said = f"from {parameter.code} of {parameter.cells.file}"
    if name == "last_contact_day":
        return parameter.days, parameter.cells, said
    if name not in EVENT_DAYS:
        return _of_endpoint(made, name, parameter), parameter.cells, said
    rows = list(zip(parameter.days, parameter.events, parameter.deaths, strict=True))
    if count := sum(event and died for _, event, died in rows):
        events = counted(count, "event")
        told = sentence("events_of_death", events=events, code=parameter.code)
        made.notes.append(f"  {name}: {told}")
    values = [day if event and not died else "" for day, event, died in rows]
    return values, parameter.cells, f"{said}, where CNSR is {parameter.event}"


def _of_endpoint(made: Reading, name: str, parameter: adam.Parameter) -> list[str]:
    """The days of an endpoint of its own: whatever happened, death among it, is its event."""
    competed = made.reserved[name].get("competed", [])
    words = [
        "yes" if event else "other" if censored in competed else "no"
        for event, censored in zip(parameter.events, parameter.censored, strict=True)
    ]
    _parts(made, name, parameter.days, words)
    return _where("yes", parameter.days, words)


def recorded_deaths(
    made: Reading, times: adam.Times, parameter: adam.Parameter, ids: list[str]
) -> tuple[list[str], Cells, str]:
    """The events of a parameter as deaths, where it says so and the flag of death agrees.

    `dead` and `alive` of the mapping are codes of CNSR, and say it against all doubts.
    """
    entry, event, code = made.reserved.get("died", {}), parameter.event, parameter.code
    told, cells = "dead" in entry, parameter.cells
    if told and entry["dead"] != [event]:
        expected = sentence("cnsr_of_event", event=event)
        raise DataError([at("reserved.died.dead", expected, in_line(entry["dead"]))])
    flags = [text.upper()[:1] == "Y" for text in _of_patients(made, "DTHFL")]
    dated = map(adam.as_day, _of_patients(made, "DTHDT"))
    pairs = list(zip(parameter.events, flags, strict=False))
    wrong = [place for place, pair in enumerate(pairs) if pair == (True, False)]
    later = pairs.count((False, True))
    ends = zip(parameter.events, parameter.ends, dated, strict=False)
    apart = sum(died and bool(a and b) and a != b for died, a, b in ends)
    if not (told or (pairs and not wrong and not later) or times.is_of_death(code)):
        words = times.described[code]
        expected = sentence("no_deaths", code=code, words=words, event=event)
        raise DataError([at("reserved.died", expected)])
    for place in [] if told else wrong:
        flag = sentence("not_by_flag", file=made.source.file, patient=ids[place])
        row = cells.rows[place]
        made.problems.append(Problem(cells.file, row, "CNSR", f"an event of {code}", flag))
    made.count("died", len(wrong), sentence("event_no_death", code=code))
    made.count("died", later, sentence("death_no_event", code=code))
    made.count("died", apart, sentence("other_day_of_death", code=code))
    values = ["yes" if event else "no" for event in parameter.events]
    return values, cells, f"from {code} of {cells.file}: yes where CNSR is {event}"


def _of_patients(made: Reading, wanted: str) -> list[str]:
    """A column of the patients' file, such as DTHFL, whose Y is a death; empty without it."""
    column = next((name for name in made.source.text if name.upper() == wanted), None)
    return made.source.text[column].tolist() if column else []
