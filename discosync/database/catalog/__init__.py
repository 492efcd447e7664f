"""Artists, labels, their links to listings, and which releases were looked up."""
