"""discosync: mirror a Discogs seller's inventory into a database of your own."""

__version__ = "0.1.0"

NOTICES = (
    (
        "This application uses Discogs' API but is not affiliated with, sponsored or endorsed by "
        "Discogs. 'Discogs' is a trademark of Zink Media, LLC."
    ),
    "Data provided by Discogs: https://www.discogs.com",
)
"""The two notices that Discogs' API terms of use ask for."""
