"""Hand a review sample to people who judge elsewhere, and take back what they said."""
