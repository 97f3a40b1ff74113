"""From candidates to the ordered, varied list that a person sees."""
