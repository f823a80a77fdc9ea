from models.referrer.replies import told_of_ground


def test_a_year_under_cloud_reads_as_one_that_was_hardly_seen():
    assert told_of_ground(2020, 0.17, complete=True) == " Of the ground 17 percent was observed in 2020: what is not listed may be hidden."
    assert "is not known" in told_of_ground(2020, None, complete=True)


def test_an_inventory_with_holes_says_so_and_a_whole_one_says_nothing():
    assert told_of_ground(2021, 0.99, complete=False) == " The inventory of 2021 is incomplete."
    assert told_of_ground(2021, 0.99, complete=True) == ""
