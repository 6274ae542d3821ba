def load():
    """The trained model, in evaluation."""
    model = Model()
    model.load_state_dict(weights())
    return model.eval()


if __name__ == "__main__":
    images = torch.full((1, *IMAGE), 0.5)
    trained = load()
    print(f"smashed data {tuple(trained.smash(images).shape)}, decision {trained.decide(images).tolist()}")
