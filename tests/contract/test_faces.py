import subprocess
import sys

import pytest


@pytest.mark.parametrize("first", ["import fairdistill.fixing.fix", "from fairdistill.fixing import fix"])
def test_a_face_offers_the_function_even_if_the_module_of_its_name_was_imported(first):
    code = f"{first}; import fairdistill.fixing as room; from fairdistill.fixing import fix; assert callable(fix), fix"
    subprocess.run([sys.executable, "-c", f"{code}; assert room.fix is fix"], check=True)
