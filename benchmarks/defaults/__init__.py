"""What default settings, chosen from the data, reach next to tuned presets."""
