"""What the systems that read and write share: backbones, tokens, adapters, words with their meaning, metrics of text."""
