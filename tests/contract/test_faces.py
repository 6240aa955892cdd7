import subprocess
import sys

# One process for both, since torch takes seconds to load; of ours, each begins with nothing.
PROGRAM = """
import sys

for first in sys.argv[1:]:
    for name in [name for name in sys.modules if name.partition(".")[0] == "fairdistill"]:
        del sys.modules[name]
    exec(first, {})
    import fairdistill.fixing as room
    from fairdistill.fixing import fix
    assert callable(fix), (first, fix)
    assert room.fix is fix, first
"""


def test_a_face_offers_the_function_even_if_the_module_of_its_name_was_imported():
    ways = ["import fairdistill.fixing.fix", "from fairdistill.fixing import fix"]
    subprocess.run([sys.executable, "-c", PROGRAM, *ways], check=True)
