"""Who lied: locators of wrong answers over the reals."""
