"""The page that shows how all region-years stand."""
