"""Speed of training, compared with the model of TFRS' own tutorial."""
