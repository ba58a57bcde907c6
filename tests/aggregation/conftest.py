"""Papers of a committee, made once."""

import pytest

from anyk.aggregation.remote.founding import found_committee


@pytest.fixture(scope="session")
def papers(tmp_path_factory):
    """Directories of a server, three aggregators and two clients."""
    directory = tmp_path_factory.mktemp("papers")
    found_committee(directory, aggregators=3, clients=2)
    return directory
