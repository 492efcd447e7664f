"""Know records again by the bytes that were settled before, and parse the others."""

from itertools import compress

from discosync.core.block_parser import BlockParser
from discosync.core.known import KnownListings
from discosync.core.plan import Planner
from discosync.core.records import RecordBlock, raw_digest


class Recogniser:
    """Hands a snapshot's records to a planner, parsed only where their bytes are not known."""

    def __init__(self, known: KnownListings, parser: BlockParser, planner: Planner) -> None:
        self._place_by_digest = known.index_raw_digests()  # the largest of what is in memory
        self._parser = parser
        self._planner = planner

    def take(self, block: RecordBlock) -> int:
        """Take the next records; say how many were known.

        Raises `BadData` when their structure is broken, or too many cannot be read.
        """
        digests = list(map(raw_digest, block.bodies))
        places = list(map(self._place_by_digest.get, digests))
        known = [place for place in places if place is not None]
        self._planner.recognise(known)
        if len(known) < len(places):
            are_new = [place is None for place in places]
            new_digests = list(compress(digests, are_new))
            for parsed in self._parser.read(block.pick(are_new)):
                self._planner.see_block(parsed, new_digests)
        return len(known)
