"""Which entries of `artists` and `labels` a set of credits needs, and which entries are the same.

An entry is known by its Discogs id or, as long as the id is unknown, by its name. When a credit
brings the id of an entry by name, that entry gets the id and keeps its `uuid`. If there already is
an entry with that id, the links of the entry by name move to it. Two ids may have the same name:
then nothing is concluded from the name. A name that Discogs credits without an entry (id 0) is
*unlisted*: it gets an entry of its own, which never gets an id.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from discosync.core.catalog.credits import ArtistCredit, LabelCredit

Credit = ArtistCredit | LabelCredit
Key = int | str
"""A credit's Discogs id, or its name if it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An artist or a label in the database.

    `is_curated` says that a person wrote a profile or a description; `is_unlisted` that Discogs has
    no entry of that name.
    """

    uuid: str
    discogs_id: int | None
    name: str
    is_curated: bool = False
    is_unlisted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPlan:
    """What happens to the entries, and which entry each credit means.

    `numbered` gives entries known by name their id (uuid → id), `renamed` follows Discogs' name
    (uuid → name), `merged` moves links and curated text from one entry to another (uuid → uuid).
    """

    added: tuple[Entry, ...]
    numbered: Mapping[str, int]
    renamed: Mapping[str, str]
    merged: Mapping[str, str]
    uuid_by_key: Mapping[Key, str]


def key_of(credit: Credit) -> Key:
    """Return the key of a credit."""
    return credit.name if credit.discogs_id is None else credit.discogs_id


def plan_entries(
    credits_: Iterable[Credit],
    known: Iterable[Entry],
    *,
    new_uuid: Callable[[], str],
    names_may_be_ids: bool = False,
) -> EntryPlan:
    """Plan the entries for credits; `known` are the entries with one of their ids or names.

    With `names_may_be_ids`, a credit without an id stands for the entry of that name if there is
    exactly one, because a listing's text has no ids. Without it, such a credit says that Discogs
    has no entry. `new_uuid` makes a uuid for each new entry.
    """
    planner = _Planner(known, new_uuid)
    name_by_id: dict[int, str] = {}
    nameless: dict[str, None] = {}
    for credit in credits_:
        if credit.discogs_id is None:
            nameless[credit.name] = None
        else:
            name_by_id[credit.discogs_id] = credit.name
    planner.learn(name_by_id)
    # Ids before names: an entry by name may get its id here, and the names below then mean it.
    for number, name in name_by_id.items():
        planner.settle_id(number, name)
    for name in nameless:
        if names_may_be_ids:
            planner.settle_name(name)
        else:
            planner.settle_unlisted(name)
    return planner.plan()


class _Planner:
    def __init__(self, known: Iterable[Entry], new_uuid: Callable[[], str]) -> None:
        self._new_uuid = new_uuid
        self._by_id: dict[int, Entry] = {}
        self._by_name: dict[str, Entry] = {}
        self._unlisted: dict[str, Entry] = {}
        for entry in known:
            if entry.discogs_id is not None:
                self._by_id[entry.discogs_id] = entry
            elif entry.is_unlisted:
                self._unlisted.setdefault(entry.name, entry)
            else:
                self._by_name.setdefault(entry.name, entry)
        self._ids_by_name: dict[str, set[int]] = defaultdict(set)
        self._added: list[Entry] = []
        self._numbered: dict[str, int] = {}
        self._renamed: dict[str, str] = {}
        self._merged: dict[str, str] = {}
        self._uuid_by_key: dict[Key, str] = {}

    def learn(self, name_by_id: Mapping[int, str]) -> None:
        """Note which ids bear which name now; a credit's name is newer than the database's."""
        names = {number: entry.name for number, entry in self._by_id.items()}
        for number, name in {**names, **name_by_id}.items():
            self._ids_by_name[name].add(number)

    def settle_id(self, number: int, name: str) -> None:
        entry = self._by_id.get(number)
        # A name that two ids bear does not say to which of them the entry by name belongs.
        by_name = self._by_name.get(name) if self._ids_by_name[name] == {number} else None
        # The entry by name gets its id and keeps its uuid, which other programs may refer to.
        if entry is None and by_name is not None:
            del self._by_name[name]
            self._numbered[by_name.uuid] = number
            self._uuid_by_key[number] = by_name.uuid
            return
        if entry is None:
            entry = self._add(number, name)
        elif entry.name != name:
            self._renamed[entry.uuid] = name
        # If people wrote a text for both, a program cannot join the texts: both entries stay.
        if by_name is not None and not (by_name.is_curated and entry.is_curated):
            del self._by_name[name]
            self._merged[by_name.uuid] = entry.uuid
        self._uuid_by_key[number] = entry.uuid

    def settle_name(self, name: str) -> None:
        ids = self._ids_by_name[name]
        # Exactly one id bears this name. With two of them, nothing says which one is meant.
        if len(ids) == 1:
            number = next(iter(ids))
            found = self._uuid_by_key.get(number) or self._by_id[number].uuid
            self._uuid_by_key[name] = found
            return
        entry = self._by_name.get(name)
        self._uuid_by_key[name] = (entry or self._add(None, name)).uuid

    def settle_unlisted(self, name: str) -> None:
        entry = self._unlisted.get(name)
        self._uuid_by_key[name] = (entry or self._add(None, name, is_unlisted=True)).uuid

    def _add(self, number: int | None, name: str, *, is_unlisted: bool = False) -> Entry:
        uuid = self._new_uuid()
        entry = Entry(uuid=uuid, discogs_id=number, name=name, is_unlisted=is_unlisted)
        self._added.append(entry)
        return entry

    def plan(self) -> EntryPlan:
        return EntryPlan(
            added=tuple(self._added),
            numbered=self._numbered,
            renamed=self._renamed,
            merged=self._merged,
            uuid_by_key=self._uuid_by_key,
        )
