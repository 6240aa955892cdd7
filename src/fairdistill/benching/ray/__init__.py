"""Running a grid on a Ray cluster; imported only with ``--engine ray``."""
