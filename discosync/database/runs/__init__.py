"""The record of each run: written with what it did, and read again by later ones."""
