"""What names, labels and values of a statistician's file say: lists of words, and their one form.

A stem is a name without its words for date, day, time or status: `relapse` of `relapse_months`.
"""

from __future__ import annotations

import re
import unicodedata

# The words of German, French, Spanish and Italian files for times and outcomes, without accents.
ENGLISH = {
    foreign: word
    for word, every in {
        "days": "tage jours dias giorni",
        "weeks": "wochen semaines semanas settimane",
        "months": "monate monaten mois meses mesi",
        "years": "jahre jahren annees anos anni",
        "time": "zeit temps tiempo tempo",
        "date": "datum fecha",
        "since": "seit depuis desde",
        "before": "vor avant",
        "to": "bis jusqu hasta",
        "best": "bestes meilleure mejor migliore",
        "last": "letzter letzte letztes dernier derniere dernieres ultimo ultima",
        "contact": "kontakt contacto contatto",
        "news": "nouvelles",
        "follow_up": "nachbeobachtung beobachtung suivi seguimiento",
        "follow_up_time": "nachbeobachtungszeit beobachtungszeit",
        "survival": "uberleben ueberleben survie supervivencia sopravvivenza",
        "survival_time": "uberlebenszeit ueberlebenszeit",
        "survival_status": "uberlebensstatus ueberlebensstatus",
        "overall_survival": "gesamtuberleben gesamtueberleben",
        "vital_status": "vitalstatus",
        "diagnosis": "diagnose diagnosi diagnostic diagnostico",
        "diagnosis_date": "diagnosedatum",
        "death": "tod deces mort muerte decesso morte exitus",
        "death_date": "todesdatum sterbedatum",
        "dead": "muerto muerta morto morta",
        "died": "verstorben gestorben decede decedee fallecido fallecida deceduto deceduta",
        "alive": "lebt lebend vivant vivante",
        "relapse": "rezidiv ruckfall rueckfall rechute recidive recaida recidiva ricaduta",
        "relapse_date": "rezidivdatum ruckfalldatum rueckfalldatum",
        "progression": "progress progresion progressione",
        "transplant": "greffe allogreffe trasplante trapianto stammzelltransplantation",
        "transplant_date": "transplantationsdatum transplantdatum",
        "response": "ansprechen reponse respuesta risposta",
        "response_date": "ansprechdatum ansprechensdatum",
        "remission": "remision remissione",
        "remission_date": "remissionsdatum",
        "complete": "komplette vollstandige complet completa",
        "cr": "rc",
        "event": "ereignis evenement evento",
        "censored": "zensiert censure censurado censurato",
        "yes": "ja oui",
        "no": "nein",
    }.items()
    for foreign in every.split()
}
_BEFORE = re.compile(
    r"^((date|data)(_(of_the|of|de_la|de|du|del|di))?|dat|dt|day_of|(days|time|weeks|months|years)(_to)?)_"
)
_AFTER = re.compile(
    r"_(days_to|date|dates|dat|datum|day|days|dt|dtc|time|weeks?|months?|mos?|years?|yrs?)$"
)
_STATUS_AFTER = re.compile(
    r"_(status|stat|state|event|ev|cens|censor|censored|censoring|flag|fl|ind|indicator|code|yn|yes_no)$"
)
ASKING = re.compile(r"_(yn|yes_no|flag|fl)$")  # of which 1 can only mean yes
_JOINED = re.compile(r"(?<=[a-z]{2})(time|days?|months?|dt|date|status|stat|flag|cens|event|fl)$")

# What a stem means. The first that a file has is taken.
STEMS: dict[str, tuple[str, ...]] = {
    "patient_id": (
        *("usubjid", "patient_id", "patientid", "pat_id", "patid", "subject_id", "subjid"),
        *("record_id", "case_id", "study_id", "patient_no", "patient_number"),
        *("pat_no", "patno", "pat_nr"),
        *("bcr_patient_barcode", "subject", "patient", "pid", "id", "row_names"),
    ),
    "last_contact_day": (
        *("last_contact", "death_or_last_contact", "last_follow_up", "last_followup", "last_fu"),
        *("lastfu", "last_news", "last_seen", "last_known_alive", "last_alive", "lstalvdt"),
        *("follow_up", "followup", "fu", "futime", "os", "overall_survival", "survival"),
    ),
    "death": ("death", "dthdt", "dth", "died", "deceased", "dod"),
    "response_day": (
        *("response", "first_response", "complete_response", "complete_remission"),
        *("response_complete", "remission_complete"),
        *("remission", "first_remission", "cr", "cr1"),
    ),
    "mrd_response_day": ("mrd_response", "mrd_negativity", "mrd_remission"),
    "hsct_day": ("hsct", "sct", "allo_sct", "allosct", "transplant", "transplantation", "bmt"),
    "relapse_day": ("relapse", "first_relapse", "rel", "recurrence"),
    "last_assessment_day": ("last_assessment", "last_disease_assessment", "last_evaluation"),
}
ALL_SURVIVAL = ("os", "overall_survival", "survival", "death_or_last_contact")
# Outcomes that no reserved column has: no characteristics of a patient on day 0.
_PROGRESSION = "progression, for which the book has no page"
OUTCOMES: dict[str, str] = {
    **dict.fromkeys(("pfs", "progression_free_survival", "pfi"), "progression-free survival"),
    **dict.fromkeys(("dfs", "disease_free_survival", "dfi"), "disease-free survival"),
    **dict.fromkeys(
        ("rfs", "rfi", "relapse_free", "relapse_free_survival"), "relapse-free survival"
    ),
    **dict.fromkeys(
        ("recurrence_free_survival", "lfs", "leukemia_free_survival"), "relapse-free survival"
    ),
    **dict.fromkeys(
        ("efs", "event_free_survival", "ffs", "failure_free_survival"), "event-free survival"
    ),
    **dict.fromkeys(("dss", "css", "disease_specific_survival"), "death of the disease"),
    **dict.fromkeys(("tumor_status", "person_neoplasm_cancer_status"), "tumour at the end"),
    **dict.fromkeys(("time_on_study", "on_study_time", "study_time"), "time under observation"),
    **dict.fromkeys(("cause_of_death", "death_cause", "dthcaus", "dthcau", "dthca"), "death"),
    **dict.fromkeys(("dthady", "dthadt", "dthdtf", "dthdtc", "dthfl", "lstalvdt"), "death"),
    **dict.fromkeys(("progression", "progressed", "prog", "pd", "ttp", "ttprog"), _PROGRESSION),
    **dict.fromkeys(
        ("recurred", "relapsed", "ttr", "new_tumor_event", "new_tumor_event_dx"), "relapse"
    ),
}
# Names that stset of Stata gives: entered, left, failed, in the study.
STATA_SURVIVAL = ("_t0", "_t", "_d", "_st", "_origin")
# Names that say only that something is a time or a status, not of what.
BARE_TIMES = ("time", "t", "survtime", "surv_time", "time_to_event", "tte")
BARE_STATUS = ("status", "event", "censor", "censored", "cens", "cnsr", "delta", "flag", "fail")
CENSORED = re.compile(r"(^|_)(cens|censor|censored|censoring|cnsr)(_|$)")
# Day 0 by the name of its date, and in words.
ORIGINS = {
    **dict.fromkeys(("randomisation", "randomization", "rand", "randdt"), "randomisation"),
    **dict.fromkeys(("treatment_start", "start_of_treatment", "trtsdt"), "start of treatment"),
    **dict.fromkeys(("therapy_start", "start_of_therapy", "start_treatment"), "start of treatment"),
    **dict.fromkeys(("first_dose", "first_treatment"), "first dose"),
    **dict.fromkeys(("diagnosis", "diag", "dx"), "diagnosis"),
    **dict.fromkeys(("enrolment", "enrollment", "registration", "inclusion"), "enrolment"),
    **dict.fromkeys(("study_entry", "onstudy", "on_study", "entry"), "study entry"),
}
# Where 1 can only mean yes, because the column asks whether the patient died.
ASKS_DEATH = ("died", "dead", "death", "deceased", "dth", "dthfl", "os_event", "death_event")
STATUS = (
    *("os_status", "overall_survival_status", "survival_status", "death_status", "vital_status"),
    *("vital", "status"),
)
_DEATHS = {"death", "dead", "died", "deceased", "alive"}
_TIMES = {"days", "weeks", "months", "years", "time", "day", "week", "month", "year", "status"}
_LATER = {
    *(
        "os",
        "pfs",
        "dfs",
        "efs",
        "rfs",
        "survival",
        "relapse",
        "relapsed",
        "recurrence",
        "recurred",
    ),
    *("progression", "progressed"),
}
_EARLIER = {
    *("prior", "previous", "previously", "prev", "past", "since", "before", "pre", "family"),
    "baseline",
}
# One form of what happened: transplanted and transplant ask the same.
PAST = {
    **dict.fromkeys(("relapsed", "recurred"), "relapse"),
    **dict.fromkeys(("transplanted", "grafted"), "transplant"),
    **dict.fromkeys(("responded", "responder"), "response"),
    **dict.fromkeys(("best_response", "best_overall_response", "bor", "best_resp"), "response"),
}
VITAL = re.compile(r"(^|_)(vital|survival|death)_status(_|$)")
DEAD = {"dead", "died", "death", "deceased", "tot"}
ALIVE = {"alive", "living", "vivo", "viva", "censored", "alive at last contact"}
YES, NO = {"yes", "si", "sí", "y", "true", "1"}, {"no", "non", "n", "false", "0"}
HAPPENED = {
    *("event", "relapse", "relapsed", "recurred", "recurrence", "progressed", "progression"),
    *("recurred/progressed", "transplant", "transplanted", "response", "responded", "responder"),
}
NOT_HAPPENED = {
    *("none", "censored", "no event", "no relapse", "not relapsed", "not recurred", "diseasefree"),
    *("disease free", "no recurrence", "not transplanted", "no transplant", "no response"),
    *("non-responder", "not progressed", "no progression", "alive or dead tumor free"),
}
# Best responses that are none, in full and as trials write them.
NO_RESPONSE = {
    *("pd", "progressive disease", "sd", "stable disease", "nr", "no response", "non-responder"),
    *("progression", "refractory", "no", "none", "treatment failure"),
}
# Whole numbers that count or measure, however few: no codes.
COUNTS = {
    *("age", "years", "months", "weeks", "days", "time", "number", "num", "no", "n", "count"),
    *("counts", "nodes", "lines", "cycles", "courses", "size", "dose", "score", "weight", "height"),
    *("bmi", "year", "duration"),
}
# Whole numbers that name a place or a group, however large: codes.
CODES = {
    *("site", "siteid", "centre", "center", "hospital", "institution", "inst", "clinic", "country"),
    *("region", "code", "coded", "cohort", "arm", "group", "stratum", "sex", "gender", "race"),
}
CODES_TO = 9  # codes of questionnaires have one digit

IDENTIFYING = re.compile(
    r"(^|_)((first|last|sur|fore|given|family|middle|maiden|full|patient|pat|subject)_?names?"
    r"|surname|initials?|nachname|vorname|prenom|e_?mail|email_address|phone|phone_?(no|number)"
    r"|telephone|tele?fon|mobile|fax|address|street|post_?code|postal_code|zip|zip_?code|ssn"
    r"|passport|mrn|medical_record(_number)?|hospital_(number|no|id)|insurance_(number|no|id)"
    r"|dob|birth_?(date|day|dt|dtc)|date_of_birth|geburts(datum|tag)|brthdtc?)(_\d+)?$"
)
NAMES = ("name", "names", "nom", "tel", "insurance", "cell_phone")
LABELS = re.compile(
    r"\b((first|last|family|given|full|maiden) name|patient'?s?'? name|surname|initials"
    r"|e-?mail|(tele|mobile )?phone|date of birth|birth ?date|home address|post ?code)\b",
    re.IGNORECASE,
)
FREE_TEXT = re.compile(r"(^|_)(comments?|remarks?|notes?|free_?text|specify)$")
# What stands in place of a patient in a row of sums.
SUMS = re.compile(
    r"(grand )?totals?|sums?|means?|average|median|count|(gesamt)?summe|gesamt|mittelwert|moyenne"
    r"|total général|somme",
    re.IGNORECASE,
)
ID = re.compile(r"(^|_)(id|no|nr|number|key|uid|guid)$|subjid$")


def normal(name: str) -> str:
    """A name or label in one form: small letters, English words, parts joined by `_`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", _without_accents(name))
    return "_".join(ENGLISH.get(part, part) for part in re.findall(r"[a-z0-9]+", parted.lower()))


def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def stem(name: str) -> str:
    """What a name is about, without its words for date, day or time."""
    return _AFTER.sub("", _BEFORE.sub("", normal(name)))


def about(name: str) -> set[str]:
    """All that a name may be about, also without its words for a status: `futime` and `fu`."""
    words = {normal(name), stem(name)}
    words |= {_STATUS_AFTER.sub("", word) for word in words}
    words |= {_JOINED.sub("", word) for word in words}
    words |= {PAST[word] for word in words if word in PAST}
    return words - {""}


def outlived(name: str) -> bool:
    """True where a name says death, or a time and an event: `dead_of_disease`, `os_from_hsct_days`.

    What was before day 0 may be a characteristic: `months_since_last_relapse`.
    """
    words = {*normal(name).split("_")}
    if words & _EARLIER:
        return False
    return bool(words & _DEATHS or (words & _TIMES and words & _LATER))


def plain_words(text: str) -> str:
    """The words of a value, without the code that stands before them: `1:DECEASED`."""
    words = re.sub(r"^\d+\s*[:=.-]\s*(?=\D)", "", text).strip().lower()
    return ENGLISH.get(_without_accents(words), words)
