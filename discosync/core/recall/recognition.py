"""Recognise records whose bytes settled their listings before, and parse only the others."""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, compress

from discosync.core.inventory.block_parser import BlockParser
from discosync.core.inventory.parsed import ParsedBlock
from discosync.core.inventory.records import RecordBlock, RecordStream, raw_digest
from discosync.core.planning.plan import Planner
from discosync.core.recall.known_records import KnownRecords
from discosync.core.recall.passages import RECORDS_PER_PASSAGE, PassageLog, Passages

_PIECE_BYTES = 64 * 1024
"""How much is cut into records after the last passage: more than a usual passage."""

_MARGIN_BYTES = 2 * 1024
"""By how much a passage may have grown so that the beginning of the next one is still found."""

_MOST_AT_ONCE = 8
"""How many passages are taken at once, at the most, where one after the other has changed."""

_AROUND = 4
"""By how many passages a record may have moved and still be recognised without its id."""

_MANY = 1_000
"""How many records may have moved before one map of all digests is made, which takes memory."""


class Recogniser:
    """Hands a snapshot's records to a planner, parsed only where their bytes are not known.

    `passages` are those of the file that `known` was remembered from. `put_aside` gets the records
    that the plan may write. Afterwards `log` holds the passages of this file.
    """

    def __init__(
        self,
        known: KnownRecords,
        parser: BlockParser,
        planner: Planner,
        passages: Passages,
        *,
        put_aside: Callable[[ParsedBlock], None],
        records_per_passage: int = RECORDS_PER_PASSAGE,
    ) -> None:
        self.log = PassageLog(records_per_passage)
        self._known = known
        self._parser = parser
        self._planner = planner
        self._put_aside = put_aside
        self._passages = Passages() if passages.is_scattered() else passages
        self._starts = list(accumulate(self._passages.counts, initial=0))
        self._number_by_first = self._index_firsts()
        self._position_by_digest: dict[bytes, int] = {}
        self._moved = 0
        self._has_all = False
        self._next = 0
        self._at_once = 1

    def _index_firsts(self) -> dict[bytes, int]:
        """Map the digest of each passage's first record to its number."""
        positions = self._passages.positions
        firsts = [self._known.raw_digest_at(positions[start]) for start in self._starts[:-1]]
        return {digest: number for number, digest in enumerate(firsts)}

    def read(self, stream: RecordStream) -> Iterator[int]:
        """Read all records; give again and again how many more were read.

        Raises `BadData` when their structure is broken, or too many cannot be read.
        """
        while True:
            count = self._pass_over(stream) or self._take(stream)
            if not count:
                return
            yield count

    def _positions(self, numbers: range) -> Sequence[int]:
        """Return the positions of the listings of some passages in a row."""
        return self._passages.positions[self._starts[numbers.start] : self._starts[numbers.stop]]

    def _pass_over(self, stream: RecordStream) -> int:
        """Pass over the next passage if it has not changed; give its number of records, or 0."""
        number = self._next
        if number == len(self._passages):
            return 0
        size_bytes, digest = self._passages.sizes[number], self._passages.digest(number)
        # Some byte of it has changed: `_take` then looks at its records one by one.
        if not stream.pass_over(size_bytes, digest):
            return 0
        positions = self._positions(range(number, number + 1))
        self._next += 1
        self._at_once = 1
        self._planner.recognise(positions)
        self.log.note(size_bytes, digest, [self._known.ids[position] for position in positions])
        return len(positions)

    def _take(self, stream: RecordStream) -> int:
        """Cut the next records, up to where a passage may begin again; give their number."""
        numbers = range(self._next, min(self._next + self._at_once, len(self._passages)))
        block = stream.take(self._size_of(numbers)) if self._number_by_first else stream.take()
        if block is None:
            return 0
        digests = list(map(raw_digest, block.bodies))
        if (stop := self._find_passage(digests, numbers)) is not None:
            block, digests = stream.give_back(block, stop), digests[:stop]
        else:
            self._next = numbers.stop
        self._at_once = min(2 * self._at_once, _MOST_AT_ONCE)
        positions = self._look_up(digests, numbers)
        self._planner.recognise([position for position in positions if position is not None])
        ids = [0 if position is None else self._known.ids[position] for position in positions]
        if None in positions:
            self._parse(block, digests, ids, [position is None for position in positions])
        self.log.note_records(block.bodies, ids)
        return len(digests)

    def _size_of(self, numbers: range) -> int:
        """Return how many bytes are cut in place of these passages."""
        sizes = self._passages.sizes[numbers.start : numbers.stop]
        return sum(sizes) + _MARGIN_BYTES if sizes else _PIECE_BYTES

    def _find_passage(self, digests: Sequence[bytes], taken: range) -> int | None:
        """Find the index of a record that begins a passage which may not have changed."""
        # The passage at the very start was tried a moment ago. None of several that are taken at
        # once is tried: where one after the other has changed, looking up each record costs less.
        for digest in filter(self._number_by_first.__contains__, digests[1:]):
            number = self._number_by_first[digest]
            if number not in taken[1:]:
                self._next = number
                return digests.index(digest, 1)
        return None

    def _parse(
        self, block: RecordBlock, digests: Sequence[bytes], ids: list[int], are_new: Sequence[bool]
    ) -> None:
        """Parse the records with new bytes for the planner, and note their listing ids."""
        new_indexes = list(compress(range(len(ids)), are_new))
        new_digests = list(compress(digests, are_new))
        for parsed in self._parser.read(block.pick(are_new)):
            for index, listing_id in zip(parsed.indexes, parsed.ids, strict=True):
                ids[new_indexes[index]] = listing_id
            others = self._without_moved(parsed, new_digests)
            if writable := self._planner.see_block(others, new_digests):
                self._put_aside(writable)

    def _without_moved(self, parsed: ParsedBlock, digests: Sequence[bytes]) -> ParsedBlock:
        """Recognise, by their ids, records that stood elsewhere before; give the others."""
        if not self._known.raw_digests or self._has_all:
            return parsed
        known = self._known
        moved: list[int] = []
        are_others: list[bool] = []
        for index, listing_id in zip(parsed.indexes, parsed.ids, strict=True):
            position = known.find(listing_id)
            has_moved = position is not None and known.raw_digest_at(position) == digests[index]
            are_others.append(not has_moved)
            if position is not None and has_moved:
                moved.append(position)
        if not moved:
            return parsed
        self._moved += len(moved)
        self._planner.recognise(moved)
        return parsed.pick(are_others)

    def _look_up(self, digests: Sequence[bytes], numbers: range) -> list[int | None]:
        """Return the positions of the listings with these digests; None for a new digest."""
        if not self._has_all:
            if not self._number_by_first or self._moved > _MANY:
                self._position_by_digest = self._known.index_raw_digests()
                self._has_all = True
            else:
                self._look_around(numbers)
        return list(map(self._position_by_digest.get, digests))

    def _look_around(self, numbers: range) -> None:
        """Index the digests of these passages and of the next few."""
        if numbers:  # behind the last one its records may go on
            stop = min(numbers.stop + _AROUND, len(self._passages))
            positions = self._positions(range(numbers.start, stop))
            self._position_by_digest = self._known.index_raw_digests(positions)
