import httpx
import pytest

from catalog.facts.errors import ServerUnreachable
from flows.served import server_needed


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout("silence")])
def test_a_server_that_went_away_is_one_sentence_with_the_way_out(error):
    with pytest.raises(ServerUnreachable, match=r"does not answer any more .* run the same command again"), server_needed():
        raise error


def test_other_errors_of_a_flow_stay_what_they_are():
    with pytest.raises(ZeroDivisionError), server_needed():
        raise ZeroDivisionError
