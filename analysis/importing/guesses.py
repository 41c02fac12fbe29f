"""The first mapping of a file: what its names, labels and values say safely, and questions.

A guess that could be wrong without anybody's notice is none: it becomes a question, `?`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import PlainScalarString

from ..dataset.columns import EVENT_DAYS
from ..dataset.declared import PAGES
from ..dataset.definitions import PAPERS, definition
from . import own
from .adam import Times
from .dates import EPOCHS, UNITS, looks_like_date, needs_century, needs_order, proven_order
from .endpoints import ENTRY, in_words, own_word
from .mapping import KEPT_ENDS, OPEN, Mapping, columns_of, node, put, written
from .meaning import Column
from .repeated import row_pickers, several_rows
from .source import Source
from .words import (
    BLOCKS,
    EVENTS,
    ORIGINS,
    OUTCOMES,
    PARAMETERS,
    STEMS,
    WORDS,
    counted,
    normal,
    sentence,
    stem,
)

DAYS = ("last_contact_day", *EVENT_DAYS, "last_assessment_day")
ARMS_AT_MOST = 6  # more levels are no arms of a trial
_OTHER_TIMES = re.compile(r"\bor\b|loss|duration|free|without|progression")


def draft(
    source: Source, adtte: Times | None, name: str, new_ids: bool, begun: CommentedMap | None = None
) -> Mapping:
    """A first import.yaml, without the blocks `source` and `made`; `begun` says of its rows."""
    draft = Draft(source)
    draft.tree.update(begun or {})
    draft.say("name", slug(name))
    draft.say("title", name)
    draft.patient_id(new_ids)
    if adtte is None:
        draft.days()
        draft.outcomes()
        draft.died()
        words = draft.day_0()
    else:
        draft.parameters(adtte)
        words = draft.start_of(adtte)
    draft.say("analysis.time_origin", words or OPEN, "" if words else sentence("time_origin"))
    draft.endpoints()
    own.guess(source, draft.tree, draft.used)
    draft.groups()
    tree = CommentedMap((key, draft.tree[key]) for key in BLOCKS if key in draft.tree)
    tree.yaml_set_start_comment(sentence("head") + "\n\n")
    for key in tree:
        if BLOCKS[key]:
            tree.yaml_set_comment_before_after_key(key, before=BLOCKS[key])
    return written(tree)


def slug(name: str) -> str:
    """A dataset's name in the letters that it may have."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-") or "patients"


class Draft:
    """A mapping on its way, and the columns that have found their use."""

    def __init__(self, source: Source) -> None:
        self.source, self.tree = source, CommentedMap()
        self.used: set[str] = set()
        self.dates: list[str] = []
        self.durations: list[str] = []
        self.may_be_dates: list[str] = []  # which an answer may name

    def say(self, path: str, value: object, comment: str = "") -> None:
        """Set what stands at a place, such as `reserved.died.column`, below a comment."""
        put(self.tree, path.split("."), value, comment)

    def ask(self, path: str, question: str, **words: object) -> None:
        """Leave a place open, below the question."""
        self.say(path, OPEN, sentence(question, **words))

    def patient_id(self, new_ids: bool) -> None:
        """Who the patients are, and which rows to import where a patient has several."""
        place, found = "reserved.patient_id", self.source.ids()[:1]
        self.used.update(found)
        if found:
            self.say(f"{place}.column", found[0], self._says(found))
        elif new_ids:
            self.say(f"{place}.column", "", "none: rows are numbered")
        else:
            self.ask(f"{place}.column", "which_patient", columns=_list(self.source.text))
        numbered = "true" if new_ids else "false"
        new = PlainScalarString(numbered)
        self.say(f"{place}.new_ids", new, "true: P001, P002 and so on instead")
        if found and row_pickers(self.source, found[0]):
            self.say("rows.column", OPEN, several_rows(self.source, found[0]))
            self.say("rows.values", [OPEN], sentence("row_values"))

    def days(self) -> None:
        """The columns that are days, and the questions where it is not known which are."""
        for role in DAYS:
            columns, comment = self._day_columns(role)
            if columns:
                self._day(role, columns, comment)
            elif comment:
                self.say(f"reserved.{role}.column", OPEN, comment)
                pool = self.source.candidates(STEMS[role]) or self.source.text
                self._ask_unit(role, [column for column in pool if column not in self.used])

    def _day(self, role: str, columns: list[str], comment: str) -> None:
        place, how = f"reserved.{role}", self.source[columns[0]].unit
        self.used.update(columns)
        if both := self.source.clocks([*self.durations, *columns]):
            self.ask(f"{place}.column", "which_clock", clocks=both, columns=_list(columns))
        else:
            self.say(f"{place}.column", columns if len(columns) > 1 else columns[0], comment)
            self.durations += columns if how in UNITS else []
        self.say(f"{place}.as", how or OPEN, _why(how) or self.source[columns[0]].doubt)
        if role in EVENT_DAYS:
            self._happened(role, columns)
        if how is None:
            self.may_be_dates += [c for c in columns if self.source[c].may_be_date]
        elif how not in UNITS:
            self.dates += columns

    def _ask_unit(self, role: str, pool: list[str]) -> None:
        """The unit too, where a column that may be chosen does not say it, or none is there."""
        known = [self.source[column].unit for column in pool if self.source[column].is_day]
        if None in known or not known:
            units, kinds = ", ".join(UNITS), ", ".join(EPOCHS)
            self.ask(f"reserved.{role}.as", "which_unit", units=units, kinds=kinds)
        self.may_be_dates += [column for column in pool if self.source[column].may_be_date]

    def _day_columns(self, role: str) -> tuple[list[str], str]:
        """The column of a reserved day, or two: the first that is not blank counts.

        None, and the question, where it is not known which it is.
        """
        source, found = self.source, self.source.candidates(STEMS[role])
        units = {column: source[column].unit for column in found if source[column].is_day}
        known = [column for column, unit in units.items() if unit] or list(units)
        wanted = "date" if self._has_dates() else "days"
        days = [column for column in known if units[column] == wanted] or known
        counted = [column for column in known if units[column] in UNITS]
        if len(days) > 1:
            return [], sentence("which_day", role=role, columns=_list(days))
        if days and days[0] in counted:  # the most complete one, then the finest unit
            if not self._same_days(counted):
                return [], sentence("which_disagree", role=role, columns=_list(counted))
            days = [min(counted, key=lambda c: (-len(source[c].filled), UNITS[units[c]]))]
        if not days and role == "last_contact_day":  # a time whose status is of death
            pairs = source.pairs(self.used).items()
            times = [time for time, flags in pairs if any(map(self._of_death, flags))]
            if len(times) == 1:
                return times, "the time beside the status of death"
        if not days:
            ask = sentence("which_last_contact", columns=_list(source.text))
            return [], ask if role == "last_contact_day" else ""
        deaths = [source[column] for column in source.candidates(STEMS["death"])]
        same = [c.name for c in deaths if c.is_day and c.unit == source[days[0]].unit]
        overall = {normal(days[0]), stem(days[0])} & {*WORDS["all_survival"]}
        if role == "last_contact_day" and len(same) == 1 and not overall:
            return [*same, *days], "the day of death, and else that of the last contact"
        return days, self._says(days)

    def _same_days(self, columns: list[str]) -> bool:
        """True where durations in several units say the same, to the month."""
        lengths = [UNITS[self.source[column].unit] for column in columns]
        cells = self.source.text[columns].apply(pd.to_numeric, errors="coerce") * lengths
        apart = cells.sub(cells[columns[0]], axis=0).abs().max()
        return bool((apart.iloc[1:] <= max(UNITS["months"], *lengths)).all())

    def _has_dates(self) -> bool:
        """True where the events are dates: then the last contact is best taken from a date too."""
        events = [c for role in EVENT_DAYS for c in self.source.candidates(STEMS[role])]
        dates = [c for c in events if self.source[c].is_date]
        days = [c for c in events if self.source[c].is_day]
        return bool(dates) and "days" not in [self.source[c].unit for c in days]

    def outcomes(self) -> None:
        """Times with a status of their own, which are no reserved days: an endpoint each."""
        source = self.source
        if KEPT_ENDS[0] in source.text:  # the rows were folded to their first event
            fold = self.tree["fold"]
            self._outcome(fold["stop"], [fold["event"]] if "event" in fold else [])
        for time, flags in source.pairs(self.used).items():
            flags = [flag for flag in flags if flag not in self.used]
            if flags and not any(map(self._of_death, [time, *flags])):
                self._outcome(time, flags)
        for column in source.candidates(["progression", "first_progression", "prog"]):
            if column not in self.used and source[column].is_date:
                self._outcome(column, [])

    def _of_death(self, column: str) -> bool:
        """True where a name is about death, or about follow-up that ends with it."""
        words = {*WORDS["asks_death"], *WORDS["all_survival"], *STEMS["death"]}
        return bool(self.source[column].about & words)

    def _outcome(self, time: str, flags: list[str]) -> None:
        """One endpoint: what it is, its time, its status and the codes of that."""
        column, how = self.source[time], self.source[time].unit
        about = sorted(column.about & {*OUTCOMES}, key=len)[-1:]
        name, title = self._named(column, about[0] if about else "")
        place, columns = f"endpoints.{name}", _list([time, *flags])
        self.used.update([time, *flags])
        ask = "" if title else sentence("which_title", columns=columns)
        self.say(f"{place}.title", title or OPEN, ask)
        if about and OUTCOMES[about[0]] in EVENTS:
            self.say(f"{place}.event", EVENTS[OUTCOMES[about[0]]])
        self.say(f"{place}.time", time, self._says([time]))
        self.say(f"{place}.as", how or OPEN, _why(how) or column.doubt)
        if how is None:
            self.may_be_dates += [time] if column.may_be_date else []
        elif how not in UNITS:
            self.dates.append(time)
        if not flags:
            return
        if len(flags) > 1:
            self.ask(f"{place}.status", "which_status", columns=_list(flags))
            self.say(f"{place}.happened", [OPEN], "its codes that mean yes")
            return
        flag, codes = self.source[flags[0]], self.source[flags[0]].event_codes
        self.say(f"{place}.status", flag.name, f"its values: {flag.found()}")
        told = {"column": flag.name, "values": flag.found()}
        if codes:
            self.say(f"{place}.happened", codes[0])
            self.say(f"{place}.not_happened", codes[1])
            return
        self.ask(f"{place}.happened", "which_happened", **told)
        if flag.text.nunique() > 2:
            self.ask(f"{place}.competed", "which_competed", **told)
            self.ask(f"{place}.not_happened", "which_not_happened", **told)

    def _named(self, column: Column, about: str) -> tuple[str, str]:
        """The name of an endpoint and its title, which is blank where nobody knows it."""
        told = OUTCOMES.get(about, "")
        title = told if "survival" in told or not told else f"Time to {told}"
        long = [word for word in sorted(column.about, key=len) if len(word) > 1]
        name = slug(about or next(iter(long), column.normal)).replace("-", "_")[:30]
        answered = "response_day" in self.tree.get("reserved", ())
        papers = [plan["name"] for plan in PAPERS] if answered else ["os"]
        taken = {*PAGES, *papers, *self.tree.get("endpoints", ())}
        return f"{name}_event" if name in taken else name, title[:1].upper() + title[1:]

    def endpoints(self) -> None:
        """The block `endpoints`, where there is more than the paper's: with those of the paper."""
        reserved, own = self.tree["reserved"], self.tree.pop("endpoints", CommentedMap())
        self._late_entry()
        relapse = "relapse_day" in reserved and "response_day" not in reserved
        if not own and not relapse and ENTRY not in reserved:
            return
        columns = columns_of(reserved.get("relapse_day", {}))
        word = own_word([column.normal for column in self.source if column.name in columns])
        if word != "relapse":
            self.say("reserved.relapse_day.title", word.capitalize())
        for plan in PAPERS:
            if {*definition(plan).needed} <= {*reserved}:
                put(self.tree, ["endpoints", plan["name"]], in_words(plan, word))
        if relapse:
            paired = "status" in reserved["relapse_day"]
            self._event_alone("relapse", "rfs", word, paired)
        for name, entry in own.items():
            self.tree.setdefault("endpoints", CommentedMap())[name] = entry
            if name == "progression":
                self._event_alone(name, "pfs", name, "status" in entry)

    def _event_alone(self, event: str, free: str, word: str, paired: bool) -> None:
        """An event from day 0, and survival without it, with the follow-up of its own status."""
        until = {"until": f"{event}_until_day"} if paired else {}
        if event not in self.tree.setdefault("endpoints", CommentedMap()):
            plan = {"title": f"Time to {word}", "event": word, "events": [f"{event}_day"]}
            told = sentence("event_alone", event=word)
            put(self.tree, ["endpoints", event], plan | until, told)
        if "died" in self.tree["reserved"] and free not in self.tree["endpoints"]:
            plan = {"title": f"{word.capitalize()}-free survival", "event": f"{word} or death"}
            plan |= {"events": [f"{event}_day", "died"]} | until
            put(self.tree, ["endpoints", free], plan)

    def _late_entry(self) -> None:
        """A time that may be that of entry: before it nobody was at risk (left truncation)."""
        source, place = self.source, f"reserved.{ENTRY}"
        found = [source[c] for c in source.candidates(WORDS["entry"]) if c not in self.used]
        found = [c for c in found if c.is_day and not c.may_be_date and c.numbers.max() > 0]
        for column in found[:1]:
            self.ask(f"{place}.column", "which_entry", column=column.name)
            self.say(f"{place}.as", column.unit or OPEN, _why(column.unit) or column.doubt)

    def groups(self) -> None:
        """The arms to compare, where a column of few levels is called so."""
        source, kept = self.source, self.tree["columns"]
        found = [c for c in source.candidates(WORDS["arms"]) if c in kept]
        found = [c for c in found if 2 <= source[c].filled.nunique() <= ARMS_AT_MOST]
        for column in [c for c in found if kept[c]["type"] == "string"][:1]:
            levels, place = kept[column].get("levels", []), "analysis.compare"
            names = list(levels.values() if isinstance(levels, dict) else levels)
            self.say(f"{place}.column", kept[column].get("name", column), sentence("arms"))
            self.ask(f"{place}.reference", "which_reference", column=column, levels=_list(names))
            random = [c.name for c in source if c.normal in ("randdt", "randfl", "rand_date")]
            if any("Y" in {*source.text[c]} or source[c].is_point_in_time for c in random):
                self.say(f"{place}.randomised", PlainScalarString("true"), f"by {_list(random)}")
            else:
                self.ask(f"{place}.randomised", "randomised", column=column)

    def _happened(self, role: str, columns: list[str]) -> None:
        """The column that says whether the event of a day happened, where the file has one."""
        found = self.source.partners(STEMS[role], columns, self.used)
        place = f"reserved.{role}"
        if len(found) > 1:
            self.ask(f"{place}.status", "which_status", columns=_list(found))
            self.say(f"{place}.happened", [OPEN], "its codes that mean yes")
            self.say(f"{place}.not_happened", [OPEN], "its codes that mean no")
        if len(found) != 1:
            return
        status, text = found[0], self.source.text
        self.used.add(status)
        codes, values = self.source[status].event_codes, self.source[status].found()
        self.say(f"{place}.status", status, sentence("status", values=values))
        if codes is None:
            self.ask(f"{place}.happened", "which_happened", column=status, values=values)
            self.ask(f"{place}.not_happened", "which_not_happened", column=status, values=values)
            return
        # A blank status means no where it never stands beside a day.
        blank = text[status].eq("")
        only = blank.any() and not (text[columns].ne("").any(axis=1) & blank).any()
        self.say(f"{place}.happened", codes[0])
        self.say(f"{place}.not_happened", [*codes[1], ""] if only else codes[1])

    def died(self) -> None:
        """The column that says who died, and its codes."""
        source, place, column = self.source, "reserved.died", self._column_of_death()
        if column is None:
            self.ask(f"{place}.column", "which_died", columns=_list(source.text))
            if not any(source[column].deaths for column in source.text):
                self.ask(f"{place}.dead", "which_codes_dead")
                self.ask(f"{place}.alive", "which_codes_alive")
            return
        if others := source.disputes(column, source[column].deaths):
            told = [f"{one} (in {counted(count, 'row')})" for one, (count, _) in others.items()]
            self.ask(f"{place}.column", "which_disputed", column=column, others=", ".join(told))
            return
        self.used.add(column)
        self.say(f"{place}.column", column, self._says([column]))
        codes, found = source[column].death_codes, source[column].found()
        if codes is None:
            self.ask(f"{place}.dead", "which_dead", column=column, values=found)
            self.ask(f"{place}.alive", "which_alive", column=column, values=found)
            return
        any_date = "* is any value: a date of death is a death"
        self.say(f"{place}.dead", codes[0], any_date if "*" in codes[0] else f"its values: {found}")
        self.say(f"{place}.alive", codes[1])

    def _column_of_death(self) -> str | None:
        """The column that says who died: a flag, else numbers of no known unit, else a date."""
        source = self.source
        if KEPT_ENDS[1] in source.text:
            return KEPT_ENDS[1]
        asked = [column for column in source.about_death() if column not in self.used]
        flags = [column for column in asked if not source[column].is_day]
        counts = [c for c in asked if not source[c].is_date and source[c].unit is None]
        dates = source.candidates(STEMS["death"])
        dates = [column for column in dates if source[column].is_point_in_time]
        return next(iter([*flags, *counts, *dates]), None)

    def day_0(self) -> str:
        """The block `dates`, also where only an answer may be a date; the words for day 0."""
        source, dates = self.source, self.dates
        if not dates and not self.may_be_dates:
            return ""
        found = [c for c in source.candidates(ORIGINS) if source[c].is_point_in_time]
        origin = found[0] if dates and len(found) == 1 else ""
        every = [c for c in source.text if c not in dates and source[c].may_be_date]
        ask = sentence("which_day_0", columns=_list(found or every or source.text))
        ask += "" if dates else '; "" is none: the days are counted already'
        if both := source.clocks(self.durations, self._in_words(origin)):
            origin, ask = "", f"{ask}; two clocks: {both}"
        self.say("dates.origin", origin or OPEN, self._says(found) if origin else ask)
        if origin:
            self.used.add(origin)
            self.say("dates.as", source[origin].unit)
        elif not all(source[column].unit for column in found or every):
            self.ask("dates.as", "which_count", kinds=", ".join(EPOCHS))
        self._order(dict.fromkeys([*dates, *(found or every), *self.may_be_dates]))
        return self._in_words(origin)

    def _in_words(self, origin: str) -> str:
        """What happens on the day of a date, by its name or label; blank where neither says it."""
        label = self.source[origin].label if origin else ""
        words = (normal(origin), stem(origin), stem(label))
        return next((ORIGINS[word] for word in words if word in ORIGINS), "")

    def _order(self, dates: Iterable[str]) -> None:
        """Which comes first, day or month, and the century, where the dates alone do not say."""
        cells = [(column, *cell) for column in dates for cell in self.source[column].filled.items()]
        if short := next((cell for _, _, cell in cells if needs_century(cell)), None):
            self.ask("dates.first_year", "which_century", date=short)
        doubtful = {
            cell: f"row {row} of {column}"
            for column, row, cell in cells
            if needs_order(cell) and looks_like_date(cell)
        }
        if not doubtful:
            return
        order, proof = proven_order(doubtful)
        if order:
            self.say("dates.order", order, f"{doubtful[proof]} can be read in no other way")
        else:
            self.ask("dates.order", "which_order", where=next(iter(doubtful.values())))

    def parameters(self, adtte: Times) -> None:
        """Reserved days from the parameters whose words leave no doubt."""
        described, place = adtte.described, "reserved.last_contact_day.paramcd"
        words = {code: text.lower() for code, text in described.items()}
        overall = [c for c, text in words.items() if c == "OS" or text.startswith("overall surv")]
        every = "; ".join(f"{code}: {text}" for code, text in described.items())
        if len(overall) == 1:
            self.say(place, overall[0], f"of {every}")
            died = CommentedMap(paramcd=node(overall[0]))
            self.say("reserved.died", died, sentence("died_by_parameter"))
        else:
            self.ask(place, "which_parameter", every=every)
        for role, (codes, pattern) in PARAMETERS.items():
            found = [
                code
                for code, text in words.items()
                if (code in codes.split(", ") or re.search(pattern, text))
                and not _OTHER_TIMES.search(text)
                and (role == "mrd_response_day") == bool(re.search(r"\bmrd\b|minimal res", text))
            ]
            if len(found) == 1:
                self.say(f"reserved.{role}.paramcd", found[0], words[found[0]])
        used = {entry.get("paramcd") for entry in self.tree["reserved"].values()}
        for code in (code for code in described if code not in used):
            self._parameter(adtte, code)

    def _parameter(self, adtte: Times, code: str) -> None:
        """An endpoint for a parameter that is no reserved day, with censorings that may compete."""
        title = re.sub(r"\s*\([^)]*\)", "", adtte.described[code]).strip() or code
        name = normal(code)[:30]
        place = f"endpoints.{f'{name}_event' if name in PAGES else name}"
        self.say(f"{place}.title", title, 'from PARAM; "" leaves it out')
        if events := adtte.events_in_words(code):
            self.say(f"{place}.event", events, "from EVNTDESC")
        self.say(f"{place}.paramcd", code)
        if rivals := adtte.rivals(code):
            self.ask(f"{place}.competed", "which_cnsr_competed", code=code, rivals=rivals)

    def start_of(self, adtte: Times) -> str:
        """How the records of ADTTE are read; returns the words for day 0.

        It is the date of ADSL from which overall survival counts.
        """
        unit, why = adtte.guessed_unit()
        self.say("adtte.unit", unit, why)
        if rule := adtte.counts_from_one(unit):
            self.say("adtte.aval", "as_is", f"{rule}; one_fewer makes the start day 0")
        if against := adtte.contradictions():
            self.ask("adtte.event", "which_cnsr", against=against)
        codes, text = adtte.described, self.source.text
        starts = adtte.starts("OS" if "OS" in codes else next(iter(codes)))
        ids = self.source.ids()
        for column in self.source.candidates(ORIGINS) if ids and starts else []:
            days = dict(zip(text[ids[0]], text[column], strict=True))
            if all(days.get(patient) == str(day) for patient, day in starts.items()):
                return ORIGINS[normal(column) if normal(column) in ORIGINS else stem(column)]
        return ""

    def _says(self, columns: list[str]) -> str:
        """What a choice rests on."""
        labels = [self.source[column].label for column in columns]
        return "its label: " + "; ".join(labels) if any(labels) else "by its name"


def _why(how: str | None) -> str:
    """Why days are read in this way; blank where it is not known."""
    why = {None: "", "date": "its cells are dates"} | dict.fromkeys(EPOCHS, sentence("says_date"))
    return why.get(how, sentence("says_unit"))


def _list(names: Iterable[str], most: int = 40) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
