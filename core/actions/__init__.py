"""Changes. One deed is one function and one transaction: load, ask the rules, write, tell."""
