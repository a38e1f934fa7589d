"""A layout detector without a network: regions from the page's size, its time from a formula."""
