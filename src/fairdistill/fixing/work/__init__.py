"""What every step of a fix shares: its data, the deployed model, its folder and its budget."""
