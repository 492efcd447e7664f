"""The chapters of `discosync purge-inactive`: archive first, then delete."""
