"""The catalogue: releases with their artists and labels, and the links of listings to them."""
