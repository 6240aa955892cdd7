"""The machine of a run: its versions and hardware, the pace of a step, and what a run costs there."""
