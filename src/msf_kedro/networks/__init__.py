"""Networks, their training, and features extracted by them; nothing here knows files or Kedro."""
