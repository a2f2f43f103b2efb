"""What is verified of a brand: each check finds stored facts that contradict the contract."""
