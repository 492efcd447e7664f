"""The tables, and how a database gets them: migrations, and adopting an old shop's database."""
