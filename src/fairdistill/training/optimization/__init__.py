"""What is minimized and how: the loss, the stages of a budget, learning rates, optimizers and a step's passes."""
