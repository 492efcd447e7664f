"""The chapters of `discosync compare`."""
