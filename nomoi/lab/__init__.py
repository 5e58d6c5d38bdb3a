"""The lab: situations, institutions and agents in a browser, to build, to watch and to take a seat among."""
