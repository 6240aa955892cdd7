"""Running a grid on a Ray cluster; imported only when that is asked for."""
