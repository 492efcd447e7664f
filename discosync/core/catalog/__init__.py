"""The catalogue: releases, their artists and labels, and the links of listings to them."""
