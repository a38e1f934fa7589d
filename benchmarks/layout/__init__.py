"""How many pages PP-DocLayoutV2 of its real size lays out in a second."""
