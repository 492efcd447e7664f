"""The files that discosync keeps beside a database: written whole, or not at all."""
