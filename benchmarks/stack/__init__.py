"""Starting what is measured: the product's stack, the baseline beside it, and the simulators under both."""
